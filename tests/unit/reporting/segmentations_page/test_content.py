"""What the pages say about each patient."""

import pytest

from tests.support.builders import TASK
from tests.support.patient_pages import HOSTILE, PATIENTS, RECORDS, VOLUMES, segmented
from tumorseg.reporting.segmentations_page.content import PatientSummary, summarise_patients
from tumorseg.segmentation.results import PatientResult


@pytest.fixture(scope="module")
def summaries() -> dict[str, PatientSummary]:
    return {patient.case: patient for patient in summarise_patients(PATIENTS, RECORDS, TASK)}


def test_failed_patients_are_first_then_those_with_warnings(summaries):
    assert [(case, patient.status) for case, patient in summaries.items()] == [
        ("failed", "not segmented"),
        ("with warning", "has warnings"),
        (HOSTILE, "no warning"),
        ("a", "no warning"),
    ]


def test_a_failed_patient_has_reason_and_meaning(summaries):
    patient = summaries["failed"]
    assert patient.reasons == ("t2.nii.gz: the file stops in the middle; copy <it> again",)
    assert patient.problems == (("truncated", "A file stops before its end."),)


def test_several_reasons_are_separate():
    (patient,) = summarise_patients([PatientResult("a", "truncated,not_nifti", "one | two")], {}, TASK)
    assert patient.reasons == ("one", "two")
    assert [code for code, _ in patient.problems] == ["truncated", "not_nifti"]


def test_the_notice_of_a_model_is_no_reason_to_look_at_a_patient(summaries):
    assert summaries["with warning"].warnings == ("T1 and <T2> look alike; check both",)


def test_volumes_are_in_ml_and_labels_come_after_regions(summaries):
    volumes = summaries["a"].volumes
    assert [(volume.name, volume.ml) for volume in volumes] == [(name, mm3 / 1000) for name, mm3 in VOLUMES.items()]
    assert [volume.is_label for volume in volumes] == [False] * 3 + [True] * 3


def test_missing_images_expected_dice_and_changes_are_shown(summaries):
    patient = summaries[HOSTILE]
    assert (patient.images, patient.missing) == (("T1", "T1CE", "T2"), ("FLAIR",))
    assert [volume.dice for volume in patient.volumes] == [0.613, None, None, None, None, None]
    assert patient.changes == (("small components removed from enhancing tumour", 12),)


def test_the_date_is_that_of_the_conversion(summaries):
    assert (summaries["a"].date, summaries["failed"].date) == ("2024-03-01", "")


def test_reasons_to_look_and_intervals_are_shown_if_a_result_has_them():
    doubtful = segmented("a", attention=("the models disagree",), volume_intervals={"WT": (20e3, 50e3)})
    patients = summarise_patients([segmented("b"), doubtful], {}, TASK)
    assert [(patient.case, patient.status) for patient in patients] == [("a", "look at this one"), ("b", "no warning")]
    assert patients[0].remarks == ("the models disagree",)
    assert patients[0].volumes[0].interval_ml == (20, 50)
    assert patients[1].volumes[0].interval_ml is None
