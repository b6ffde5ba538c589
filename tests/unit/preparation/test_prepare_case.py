"""A labelled case on the atlas: its images, its mask, and what happened to it."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from tests.support.case_files import AFFINE, SHAPE, image, mask
from tumorseg.cohort.validation_result import Issue
from tumorseg.io.nifti import write_nifti
from tumorseg.preparation.cohort_plan import prepared_case_files
from tumorseg.preparation.patient_source import PatientSource
from tumorseg.preparation.prepare_case import MaskSource, write_prepared_case
from tumorseg.preparation.prepared_files import PatientFiles, atlas_path, channel_path
from tumorseg.preparation.prepared_validation import validate_prepared_case
from tumorseg.preparation.step_record import StepRecord, read_step_record, write_step_record
from tumorseg.task import load_task

TASK = load_task()
CASE = prepared_case_files(PatientSource("P1", "nifti", "data/P1"), "prepared_cohort", TASK)
STEPS = Path("steps")
IDENTITY = np.eye(4).tolist()
COARSE = np.diag([-1.0, -1.0, 3.0, 1.0])
WARNING = Issue("brain_volume_unusual", "P1", "the brain is large")


@pytest.fixture(autouse=True)
def steps(tmp_path, monkeypatch):
    """The earlier steps of a case without T2, whose FLAIR has a grid of its own."""
    monkeypatch.chdir(tmp_path)
    for channel in ("t1", "t1ce", "flair"):
        write_nifti(channel_path(STEPS / "images", channel), image(channel), COARSE if channel == "flair" else AFFINE)
        write_nifti(atlas_path(STEPS / "atlas", "P1", channel), image(channel).astype(np.float32), AFFINE)
        facts = {"channel": channel, "reference": "t1ce", "matrix": IDENTITY}
        write_step_record(STEPS / f"coregistered/{channel}.json", StepRecord("P1", "coregister", facts=facts))
    absent = StepRecord("P1", "coregister", facts={"channel": "t2", "absent": True})
    write_step_record(STEPS / "coregistered/t2.json", absent)
    write_step_record(STEPS / "images/record.json", StepRecord("P1", "convert"))
    write_step_record(STEPS / "brain/record.json", StepRecord("P1", "extract_brain", warnings=(WARNING,)))
    facts = {"reference": "t1ce", "matrix": IDENTITY}
    write_step_record(STEPS / "atlas/record.json", StepRecord("P1", "to_atlas", facts=facts))


def prepare(*masks: str) -> StepRecord:
    records = tuple(read_step_record(path) for path in sorted(STEPS.glob("coregistered/*.json")))
    return write_prepared_case(
        PatientFiles("P1", STEPS / "images", records),
        STEPS,
        MaskSource(Path(), masks, "auto"),
        {role: Path(path).name for role, (path,) in CASE.files.items()},
        Path(CASE.folder),
        task=TASK,
    )


def write_mask(voxels, affine=AFFINE) -> str:
    write_nifti(Path("data/P1/seg.nii.gz"), voxels, affine)
    return "data/P1/seg.nii.gz"


def codes(issues) -> list[str]:
    return [issue.code for issue in issues]


def written_mask() -> np.ndarray:
    return np.asarray(nibabel.load(CASE.files["seg"][0]).dataobj)


@pytest.mark.parametrize("enhancing", [3, 4])
def test_the_mask_keeps_the_values_on_disk(enhancing):
    record = prepare(write_mask(mask(enhancing)))
    assert (written_mask() == mask(enhancing)).all()
    assert record.facts["mask_channel"] == "t1ce"
    assert record.facts["before_ml"] == record.facts["after_ml"] == {"1": 0.008, "2": 0.008, str(enhancing): 0.004}


def test_an_empty_mask_stays_empty():
    record = prepare(write_mask(np.zeros(SHAPE, np.uint8)))
    assert record.succeeded
    assert not written_mask().any()


def test_a_mask_on_the_grid_of_another_image_goes_the_way_of_this_image():
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[3:7, 3:7, 1:3] = 2
    record = prepare(write_mask(voxels, COARSE))
    assert record.facts["mask_channel"] == "flair"
    assert record.facts["before_ml"] == record.facts["after_ml"] == {"2": 0.096}


def test_the_images_are_those_of_the_atlas_and_the_record_has_the_warnings_of_all_steps():
    record = prepare(write_mask(mask()))
    assert record.facts["files"] == ["P1-t1n.nii.gz", "P1-t1c.nii.gz", "P1-t2f.nii.gz", "P1-seg.nii.gz"]
    assert (np.asarray(nibabel.load(CASE.files["flair"][0]).dataobj) == image("flair")).all()
    assert record.warnings == (WARNING,)


@pytest.mark.parametrize(
    ("voxels", "affine", "code"),
    [
        (mask(), np.diag([-3.0, -1.0, 1.0, 1.0]), "mask_fits_no_image"),
        (np.full(SHAPE, 9, np.uint8), AFFINE, "bad_label"),
        (np.full(SHAPE, 1.5, np.float32), AFFINE, "bad_label"),
        (np.zeros((*SHAPE, 2), np.uint8), AFFINE, "wrong_shape"),
    ],
)
def test_a_mask_that_does_not_fit_drops_the_case_with_its_file(voxels, affine, code):
    (problem,) = prepare(write_mask(voxels, affine)).problems
    assert (problem.code, problem.file) == (code, "data/P1/seg.nii.gz")
    assert not Path(CASE.files["t1"][0]).exists()


@pytest.mark.parametrize(
    ("masks", "code"),
    [((), "missing_mask"), (("a.nii.gz", "b.nii.gz"), "several_masks"), (("a.nii.gz",), "unreadable")],
)
def test_a_case_without_one_mask_is_dropped(masks, code):
    assert codes(prepare(*masks).problems) == [code]


def test_a_failed_step_is_the_problem_of_the_case():
    failed = Issue("no_brain", "t1ce.nii.gz", "no brain was found")
    write_step_record(STEPS / "brain/record.json", StepRecord("P1", "extract_brain", (failed,)))
    record = prepare(write_mask(mask()))
    assert (record.problems, record.own_issues) == ((failed,), ())
    result, preview = validate_prepared_case(CASE, task=TASK, shape=None, labels="auto")
    assert (result.usable, result.problems, preview) == (False, (failed,), None)


def test_a_prepared_case_is_validated_like_any_case():
    prepare(write_mask(mask()))
    result, preview = validate_prepared_case(CASE, task=TASK, shape=None, labels="auto")
    assert codes(result.problems) == ["missing_modality"]
    assert "brain_volume_unusual" in codes(result.warnings)
    assert result.facts["label_4"] == 4
    assert preview is not None
    result, _ = validate_prepared_case(CASE, task=TASK.with_optional_channels(), shape=None, labels="auto")
    assert result.usable
