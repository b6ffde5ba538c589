"""What the preparation found is part of the results."""

from tumorseg.cohort.validation_result import Issue
from tumorseg.preparation.patient_records import PatientRecord
from tumorseg.preparation.step_record import StepRecord
from tumorseg.segmentation.prepared_patients import Visit, add_preparation, visits
from tumorseg.segmentation.results import PatientResult

PROBLEM = Issue("no_images", "P2", "the folder has a localizer only; export the other series")
WARNING = Issue("low_overlap", "P1", "FLAIR overlaps little with T1CE; check both")


def steps(case: str, **issues) -> list[PatientRecord]:
    return [PatientRecord(StepRecord(case, "convert")), PatientRecord(StepRecord(case, "coregister", **issues), "t1")]


def test_a_patient_whose_preparation_failed_is_a_result_with_reason_and_remedy():
    found = add_preparation([PatientResult("P3")], {"P2": steps("P2", problems=(PROBLEM,))})
    assert [(result.case, result.segmented) for result in found] == [("P2", False), ("P3", True)]
    assert (found[0].problems, found[0].detail) == ("no_images", PROBLEM.message)


def test_a_patient_whose_preparation_failed_has_no_result_of_an_earlier_run():
    earlier = PatientResult("P2", volumes={"WT": 1000.0})
    (found,) = add_preparation([earlier], {"P2": steps("P2", problems=(PROBLEM,))})
    assert not found.segmented
    assert found.volumes == {}


def test_warnings_of_the_preparation_are_warnings_of_the_result_once():
    own = Issue("nearly_equal_modalities", "P1", "T1 and T2 look alike")
    result = PatientResult("P1", warnings=(WARNING, own))
    (found,) = add_preparation([result], {"P1": steps("P1", warnings=(WARNING,))})
    assert found.warnings == (WARNING, own)


def test_a_patient_whose_images_were_prepared_already_is_unchanged():
    results = [PatientResult("P1", warnings=(WARNING,))]
    assert add_preparation(results, {}) == results


def test_patient_and_date_come_from_the_conversion():
    facts = {"patient": "A", "study_date": "2024-05-31"}
    records = {
        "A_1": [PatientRecord(StepRecord("A_1", "convert", facts=facts)), PatientRecord(StepRecord("A_1", "to_atlas"))],
        "B": [PatientRecord(StepRecord("B", "convert"))],
    }
    assert visits(records) == {"A_1": Visit("A", "2024-05-31"), "B": Visit(None, None)}
    given = {"A_1": {"patient": "Q"}, "C": {"date": "2024-01-01"}}
    assert visits(records, given)["A_1"] == Visit("Q", "2024-05-31")
    assert visits(records, given)["C"] == Visit(None, "2024-01-01")
