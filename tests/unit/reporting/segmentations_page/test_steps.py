"""The quality of the preparation steps, in words."""

from tumorseg.cohort.validation_result import Issue
from tumorseg.preparation.patient_records import PatientRecord
from tumorseg.preparation.step_record import StepRecord
from tumorseg.reporting.segmentations_page.steps import StepQuality, step_qualities, worst_by_step

TITLES = {"t1": "T1", "t1ce": "T1CE"}
WARNING = Issue("low_overlap", "P1", "T1 overlaps little; check it")
PROBLEM = Issue("no_brain", "P1", "there is no brain; check the image")


def qualities(*records: StepRecord, channels: tuple[str, ...] = ()) -> list[StepQuality]:
    named = [PatientRecord(record, channel) for record, channel in zip(records, channels or ("",) * 9, strict=False)]
    return step_qualities(named, TITLES)


def test_a_step_passed_or_warns_or_failed():
    found = qualities(
        StepRecord("P1", "coregister"),
        StepRecord("P1", "coregister", warnings=(WARNING,)),
        StepRecord("P1", "extract_brain", problems=(PROBLEM,)),
        channels=("t1ce", "t1", ""),
    )
    assert [(quality.title, quality.status, quality.messages) for quality in found] == [
        ("Registration of T1CE", "passed", ()),
        ("Registration of T1", "warning", ("T1 overlaps little; check it",)),
        ("Brain", "failed", ("there is no brain; check the image",)),
    ]


def test_steps_after_a_failure_were_not_reached():
    found = qualities(
        StepRecord("P1", "extract_brain", problems=(PROBLEM,)),
        StepRecord("P1", "to_atlas", problems=(PROBLEM,), passed_on=True),
    )
    assert [(quality.status, quality.messages) for quality in found] == [
        ("failed", (PROBLEM.message,)),
        ("not reached", ()),
    ]


def test_a_step_of_several_images_is_as_good_as_the_worst():
    found = qualities(
        StepRecord("P1", "convert"),
        StepRecord("P1", "coregister", warnings=(WARNING,)),
        StepRecord("P1", "coregister"),
    )
    assert worst_by_step(found) == {"convert": "passed", "coregister": "warning"}
