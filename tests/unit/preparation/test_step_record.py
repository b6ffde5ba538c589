"""Records of the steps of a preparation."""

from tumorseg.cohort.validation_result import Issue
from tumorseg.preparation.step_record import StepRecord, first_failure, read_step_record, write_step_record

FAILED = StepRecord("P1", "convert", problems=(Issue("no_images", "P1", "the folder has no image"),))


def test_a_record_is_read_as_it_was_written(tmp_path):
    warning = Issue("thick_slices", "P1/t2.nii.gz", "slices are 6 mm thick")
    record = StepRecord("P1", "coregister", warnings=(warning,), facts={"matrix": [[1.0, 0.0]]})
    write_step_record(tmp_path / "record.json", record)
    assert read_step_record(tmp_path / "record.json") == record


def test_a_problem_means_that_the_step_failed():
    assert not FAILED.succeeded
    assert StepRecord("P1", "convert").succeeded


def test_a_failure_that_is_passed_on_is_not_reported_again():
    assert FAILED.own_issues == FAILED.problems
    assert StepRecord("P1", "coregister", problems=FAILED.problems, passed_on=True).own_issues == ()


def test_the_first_failure_is_found():
    assert first_failure([StepRecord("P1", "convert"), FAILED]) == FAILED
    assert first_failure([StepRecord("P1", "convert")]) is None
