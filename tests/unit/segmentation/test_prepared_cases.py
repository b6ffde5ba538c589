"""A prepared patient as a case to segment."""

from tests.support.builders import TASK
from tests.support.case_files import write_empty_files
from tumorseg.cohort.validation_result import Issue
from tumorseg.preparation.step_record import StepRecord, write_step_record
from tumorseg.segmentation.prepared_cases import prepared_case

PARTIAL = Issue("partial_field_of_view", "P1", "T2 shows a part of the brain")


def write_patient(folder, *, problems=()):
    write_empty_files(folder, "atlas/P1-t1ce.nii.gz", "atlas/P1-flair.nii.gz")
    write_step_record(folder / "images/record.json", StepRecord("P1", "convert"))
    write_step_record(folder / "coregistered/t2.json", StepRecord("P1", "coregister", warnings=(PARTIAL,)))
    write_step_record(folder / "atlas/record.json", StepRecord("P1", "to_atlas", problems, (PARTIAL,)))


def test_a_prepared_patient_has_the_images_on_the_atlas_and_the_warnings_of_all_steps(tmp_path):
    write_patient(tmp_path / "P1")
    found = prepared_case(tmp_path / "P1", TASK)
    assert found.files.files == {"t1ce": ("atlas/P1-t1ce.nii.gz",), "flair": ("atlas/P1-flair.nii.gz",)}
    assert (found.files.case, found.files.folder) == ("P1", "atlas")
    assert found.warnings == (PARTIAL,)


def test_the_step_after_the_segmentation_of_an_earlier_run_does_not_count(tmp_path):
    write_patient(tmp_path / "P1")
    before = prepared_case(tmp_path / "P1", TASK)
    failed = StepRecord("P1", "to_native", (Issue("no_brain", "P1", "no"),), (Issue("label_lost", "P1", "lost"),))
    write_step_record(tmp_path / "P1/native/record.json", failed)
    assert prepared_case(tmp_path / "P1", TASK) == before


def test_a_patient_whose_preparation_failed_is_not_segmented(tmp_path):
    write_patient(tmp_path / "P1", problems=(Issue("registration_failed", "P1", "no"),))
    assert prepared_case(tmp_path / "P1", TASK) is None
