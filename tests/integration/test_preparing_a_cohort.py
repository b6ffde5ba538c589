"""A labelled cohort as a hospital has it: prepared with its masks, then validated like any cohort."""

import nibabel
import numpy as np
import pandas as pd
import pytest

from tests.integration.workflow import Workflow
from tests.support.case_files import write_valid_case
from tests.support.new_patients import write_atlas, write_hospital_patient
from tumorseg.io.nifti import write_nifti

pytestmark = pytest.mark.slow

RAW, READY, FAILED = "P-raw", "P-ready", "P-two-masks"
AFTER_A_MASK = {"prepare_case": 1, "validate_prepared": 1, "manifest": 1, "cohort_page": 1, "check_cohort": 1}


def write_tumour(patient, name="tumor_mask", shift=0) -> None:
    """Write a mask on the grid of FLAIR: oedema with a small core, in the middle of the image."""
    image = nibabel.load(patient / "T2-FLAIR.nii.gz")
    x, y, z = (side // 2 + shift for side in image.shape)
    voxels = np.zeros(image.shape, np.uint8)
    voxels[x - 10 : x + 10, y - 6 : y + 6, z - 4 : z + 4] = 2
    voxels[x - 3 : x + 3, y - 2 : y + 2, z - 1 : z + 1] = 1
    write_nifti(patient / f"{name}.nii.gz", voxels, image.affine)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A validated cohort of three cases. Do not change it; change a copy."""
    run = Workflow(tmp_path_factory.mktemp("cohort") / "run")
    settings = {"root": "data", "prepare": "auto", "shards": 1}
    run.configure({"cohort": settings, "demo": None, "segment": {"atlas": "atlas.nii.gz"}})
    write_atlas(run.folder / "atlas.nii.gz")
    for case in (RAW, FAILED):
        write_hospital_patient(run.folder / "data" / case, seed=len(case))
        write_tumour(run.folder / "data" / case)
    write_tumour(run.folder / "data" / FAILED, "second_mask")
    write_valid_case(run.folder / "data", READY)
    (run.folder / "output.txt").write_text(run.succeed("validate", "normalise"))
    return run


def manifest(run: Workflow) -> pd.DataFrame:
    return pd.read_csv(run.results / "cohort/manifest.tsv", sep="\t", index_col="case", keep_default_na=False)


def test_every_case_has_a_row_with_its_reason(cohort):
    found = manifest(cohort)
    assert found["usable"].to_dict() == {RAW: True, READY: True, FAILED: False}
    assert found["problems"][FAILED] == "several_masks"
    assert found["mask_file"].to_dict() == {
        RAW: f"results/prepared_cohort/{RAW}/{RAW}-seg.nii.gz",
        READY: f"data/{READY}/{READY}-seg.nii.gz",
        FAILED: "",
    }


def test_the_terminal_says_who_is_prepared_and_why(cohort):
    output = (cohort.folder / "output.txt").read_text()
    assert f"cohort: prepared first: {RAW}, {FAILED}: " in output
    assert "Traceback" not in output


def test_the_mask_has_its_volume_on_the_atlas_and_the_grid_of_the_images(cohort):
    raw = nibabel.load(cohort.folder / f"data/{RAW}/tumor_mask.nii.gz")
    mask, image = (
        nibabel.load(cohort.results / f"prepared_cohort/{RAW}/{RAW}-{name}.nii.gz") for name in ("seg", "t2f")
    )
    assert mask.shape == image.shape
    assert np.allclose(mask.affine, image.affine)
    for label in (1, 2):
        before, after = (
            np.count_nonzero(np.asarray(one.dataobj) == label) * abs(np.linalg.det(one.affine)) for one in (raw, mask)
        )
        assert after == pytest.approx(before, rel=0.15)


def test_prepared_and_other_cases_are_normalised(cohort):
    cases = {path.stem for path in cohort.results.glob("normalised/*/*.safetensors")}
    assert cases == {RAW, READY}


def test_a_finished_run_has_nothing_to_do(cohort):
    assert cohort.planned("validate", "normalise") == {}


def test_a_changed_mask_prepares_only_this_mask_again(cohort, tmp_path):
    run = cohort.copy(tmp_path / "run")
    write_tumour(run.folder / "data" / RAW, shift=2)
    assert run.planned("validate") == AFTER_A_MASK


def test_a_case_that_is_repaired_is_the_only_one_that_is_prepared(cohort, tmp_path):
    run = cohort.copy(tmp_path / "run")
    (run.folder / "data" / FAILED / "second_mask.nii.gz").unlink()
    assert run.planned("validate")["prepare_case"] == 1


@pytest.mark.release
def test_prepared_cases_are_trained_on_and_the_jobs_of_their_preparation_are_recorded(cohort, tmp_path):
    run = cohort.copy(tmp_path / "run")
    run.succeed("provenance")
    jobs = pd.read_csv(run.results / "provenance/jobs.tsv", sep="\t", keep_default_na=False)
    found = set(zip(jobs["rule"], jobs["job"], strict=True))
    steps = {(rule, RAW) for rule in ("convert", "extract_brain", "to_atlas", "prepare_case")}
    assert steps | {("coregister", f"{RAW}-t2"), ("train_epoch", "fold-0-epoch-0003")} <= found
    scores = pd.read_csv(run.results / "evaluation/cases.csv")
    assert set(scores["case"]) <= {RAW, READY}
    assert scores["dice"].notna().all()
