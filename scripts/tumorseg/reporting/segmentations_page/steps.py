"""The quality of each preparation step of a patient, in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tumorseg.cohort.validation_result import Issue, describe_issue
from tumorseg.preparation.patient_records import PatientRecord
from tumorseg.reporting.segmentations_page.measurements import measurements_in_words

STEP_TITLES: Final = {
    "convert": "Reading",
    "coregister": "Registration",
    "extract_brain": "Brain",
    "to_atlas": "Atlas",
    "to_native": "Native space",
}
"""Title of each step, by the name of its rule, in their order."""


@dataclass(frozen=True)
class StepQuality:
    """What a step found about a patient.

    Attributes:
        step: name of the rule.
        title: title of the step, with its channel if it has one.
        status: `failed`, `warning`, `passed`, or `not reached` after the failure of an earlier step.
        messages: messages of its problems and warnings.
        measurements: title and value, in words.
    """

    step: str
    title: str
    status: str
    messages: tuple[str, ...]
    measurements: tuple[tuple[str, str], ...]


def step_qualities(records: Sequence[PatientRecord], channel_titles: Mapping[str, str]) -> list[StepQuality]:
    """Return the quality of each step of a patient, in the order of the records.

    Args:
        records: the records of the patient.
        channel_titles: title of each channel, by name.
    """
    qualities = []
    for entry in records:
        record = entry.record
        status = "failed" if record.problems else "warning" if record.warnings else "passed"
        title = STEP_TITLES.get(record.step, record.step)
        if entry.channel:
            title += f" of {channel_titles.get(entry.channel, entry.channel)}"
        qualities.append(
            StepQuality(
                record.step,
                title,
                "not reached" if record.passed_on else status,
                tuple(issue_messages(record.own_issues, record.case)),
                tuple(measurements_in_words(record, channel_titles)),
            )
        )
    return qualities


def worst_by_step(qualities: Iterable[StepQuality]) -> dict[str, str]:
    """Return the worst status of each step, by the name of its rule."""
    order = ("passed", "not reached", "warning", "failed")
    worst: dict[str, str] = {}
    for quality in qualities:
        worst[quality.step] = max(worst.get(quality.step, order[0]), quality.status, key=order.index)
    return worst


def issue_messages(issues: Iterable[Issue], case: str) -> list[str]:
    """Return the messages of issues, each on one line, without duplicates."""
    return list(dict.fromkeys(" ".join(describe_issue(issue, case).split()) for issue in issues))
