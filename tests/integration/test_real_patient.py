"""A real patient with skull and thick oblique slices: from the scanner's files to a mask, without a network."""

import json
import os
import subprocess

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from tests.integration.workflow import Workflow
from tests.support.case_files import raw_patient

pytestmark = pytest.mark.slow

PATIENT = "TCGA-FG-6692"
FILES = ("t1.nii.gz", "t1c.nii.gz", "t2.nii.gz", "fla.nii.gz")
UNREACHABLE = dict.fromkeys(
    ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9"
)


def without_network() -> list[str]:
    """Return the start of a command line that has no network, if the system allows it to users; else nothing."""
    unshare = ["unshare", "--map-root-user", "--net"]
    try:
        allowed = subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return []
    return unshare if allowed else []


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Workflow:
    run = Workflow(tmp_path_factory.mktemp("raw") / "run")
    segment = {"cases": "patients", "models": "starter"}
    run.configure({"cohort": {"root": "nowhere"}, "demo": None, "training": {"threads": 2}, "segment": segment})
    patient = run.folder / "patients" / PATIENT
    patient.mkdir(parents=True)
    for name in FILES:
        (patient / name).symlink_to(raw_patient() / name)
    command = [*without_network(), *run.command("segment")]
    completed = subprocess.run(
        command, env=os.environ | UNREACHABLE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert completed.returncode == 0, completed.stdout[-8000:]
    return run


def test_the_mask_is_on_the_grid_of_t1ce(run):
    mask = nibabel.load(run.results / f"segmentations/{PATIENT}.nii.gz")
    image = nibabel.load(raw_patient() / "t1c.nii.gz")
    assert mask.shape == image.shape
    assert np.allclose(mask.affine, image.affine, atol=1e-4)


def test_the_mask_is_that_of_the_atlas_brought_back(run):
    native, atlas = (
        nibabel.load(run.results / f"segmentations/{name}.nii.gz") for name in (PATIENT, f"atlas/{PATIENT}")
    )
    record = json.loads((run.results / f"prepared/{PATIENT}/atlas/record.json").read_text())
    to_patient = np.array(record["facts"]["matrix"])  # from mm of the atlas to mm of the patient
    voxels = np.linalg.inv(to_patient @ atlas.affine) @ native.affine
    expected = ndimage.affine_transform(
        np.asarray(atlas.dataobj), voxels[:3, :3], voxels[:3, 3], output_shape=native.shape, order=0
    )
    found, true = np.asarray(native.dataobj) > 0, expected > 0
    assert true.sum() > 1000
    assert 2 * np.count_nonzero(found & true) / (found.sum() + true.sum()) > 0.95


def test_the_preparation_finds_nothing_unusual(run):
    folder = run.results / f"prepared/{PATIENT}"
    paths = [*folder.glob("*/record.json"), *folder.glob("coregistered/*.json")]
    assert len(paths) == 8
    for path in paths:
        record = json.loads(path.read_text())
        assert (record["problems"], record["warnings"]) == ([], [])
