"""The quality of each preparation step of a patient, in words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from tumorseg.cohort.validation_result import Issue, describe_issue
from tumorseg.formatting import format_decimal
from tumorseg.preparation.patient_records import PatientRecord

STEP_TITLES: Final = {
    "convert": "Reading",
    "coregister": "Registration",
    "extract_brain": "Brain",
    "to_atlas": "Atlas",
    "to_native": "Native space",
}
"""Title of each step, by the name of its rule, in their order."""
_UNITS: Final = {"ml": "ml", "mm": "mm", "mm3": "mm³", "s": "s", "seconds": "s", "degrees": "°", "percent": "%"}
"""Unit at the end of the name of a fact, and how it is written."""
_MAX_LIST: Final = 4
"""Longest list of numbers that is shown, such as a voxel size."""
_TEXTS: Final = ("kind", "reference", "decision", "method")
"""Facts that are texts and are shown. Others may be paths, descriptions or identifiers that name a person."""


@dataclass(frozen=True)
class StepQuality:
    """What a step found about a patient.

    Attributes:
        step: name of the rule.
        title: title of the step, with its channel if it has one.
        status: `failed`, `warning`, `passed`, or `not reached` after the failure of an earlier step.
        messages: messages of its problems and warnings.
        facts: measurements and choices in words, by name.
    """

    step: str
    title: str
    status: str
    messages: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


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
                tuple(() if record.passed_on else _facts_in_words(record.facts)),
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


def _facts_in_words(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield name and value of each fact that fits on a line; matrices and long lists do not."""
    for name, value in facts.items():
        words = name.split("_")
        unit = _UNITS.get(words[-1], "") if len(words) > 1 else ""
        title = f"{prefix}{' '.join(words[:-1] if unit else words)}"
        if isinstance(value, Mapping):
            yield from _facts_in_words(value, f"{title}, ")
        elif isinstance(value, str):
            if name in _TEXTS:
                yield title, value
        elif text := _number_in_words(value):
            yield title, f"{text} {unit}".rstrip()


def _number_in_words(value: Any) -> str:
    """Return a number, a short list of numbers, or yes or no; empty for anything else."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        whole = isfinite(value) and (float(value).is_integer() or abs(value) >= 100)
        return format_decimal(value) if whole else f"{value:.3g}".replace("-", "−")
    if isinstance(value, list | tuple) and len(value) <= _MAX_LIST:
        return " × ".join(map(_number_in_words, value)) if all(isinstance(one, int | float) for one in value) else ""
    return ""
