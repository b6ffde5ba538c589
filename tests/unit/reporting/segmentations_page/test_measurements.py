"""The measurements of the preparation steps, in words."""

import pytest

from tumorseg.preparation.step_record import StepRecord
from tumorseg.reporting.segmentations_page.measurements import MEASUREMENTS, measurements_in_words
from tumorseg.reporting.segmentations_page.steps import STEP_TITLES

TITLES = {"t1": "T1", "t1ce": "T1CE", "flair": "FLAIR"}
THICK = {"kind": "dicom", "spacing_mm": [0.8984, 0.8984, 5.5], "files": ["Smith/1.dcm"], "label": "Smith T1"}
THIN = {"kind": "nifti", "spacing_mm": [1.0, 1.0, 1.0], "files": ["Smith.nii.gz"], "label": "Smith.nii.gz"}


def words(step: str, **facts) -> dict[str, str]:
    return dict(measurements_in_words(StepRecord("P1", step, facts=facts), TITLES))


def test_reading_has_the_number_the_formats_and_the_voxels_of_the_images():
    found = words("convert", channels={"t1": THICK, "t1ce": THICK, "flair": THIN})
    assert found == {
        "images": "3",
        "format": "DICOM and NIfTI",
        "voxels": "T1 and T1CE 0.90 × 0.90 × 5.50 mm; FLAIR 1.00 × 1.00 × 1.00 mm",
    }


def test_registration_has_the_movement_and_how_well_the_images_fit():
    facts = {"rotation_degrees": 13.4072, "shift_mm": 15.7513, "head_overlap": 0.953, "edges": -0.021, "sharpness": 3.2}
    assert words("coregister", reference="t1ce", matrix=[[1.0]], **facts) == {
        "reference": "T1CE",
        "turned by": "13.4°",
        "shifted by": "15.8 mm",
        "overlap of the heads (Dice)": "0.95",
        "agreement of the edges (at most 1)": "−0.02",
    }


def test_the_part_of_the_brain_inside_the_atlas_is_what_is_not_outside():
    assert words("to_atlas", outside_atlas=0.0213) == {"part of the brain inside": "97.9 %"}


def test_the_masks_and_the_dicom_segmentations_are_named_by_their_images():
    masks = {"t1ce": {"1": 1.1}, "flair": {"1": 1.0}}
    assert words("to_native", reference="t1ce", masks=masks, dicom={"t1ce": [1]}) == {
        "masks on the grid of": "T1CE and FLAIR",
        "DICOM segmentation on the grid of": "T1CE",
    }


@pytest.mark.parametrize("step", STEP_TITLES)
def test_every_step_has_measurements_and_a_record_may_lack_them(step):
    assert step in {measurement.step for measurement in MEASUREMENTS}
    assert words(step) == {}
