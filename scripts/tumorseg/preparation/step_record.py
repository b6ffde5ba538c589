"""The record of a step of the preparation of a patient: problems, warnings and facts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tumorseg.cohort.validation_result import Issue
from tumorseg.io.files import read_json, write_json

RECORD_FILE: Final = "record.json"
"""Name of the record in the folder of a step."""


@dataclass(frozen=True)
class StepRecord:
    """What a step found about a patient. A problem stops the patient; later steps then do nothing but pass it on.

    Attributes:
        case: name of the case.
        step: name of the rule, such as `coregister`.
        problems: issues that stop the patient.
        warnings: issues that do not.
        facts: measurements and choices of the step, as plain JSON types.
        passed_on: whether the problems are those of an earlier step, so that this one did nothing.
    """

    case: str
    step: str
    problems: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    passed_on: bool = False

    @property
    def own_issues(self) -> tuple[Issue, ...]:
        """The problems and warnings that this step found itself."""
        return () if self.passed_on else (*self.problems, *self.warnings)

    @property
    def succeeded(self) -> bool:
        """Whether the step made its files."""
        return not self.problems


def write_step_record(path: Path, record: StepRecord) -> None:
    """Write a record as JSON."""
    write_json(path, asdict(record))


def read_step_record(path: Path) -> StepRecord:
    """Read a record that `write_step_record` wrote."""
    content = read_json(path)
    issues = {key: tuple(Issue(**issue) for issue in content[key]) for key in ("problems", "warnings")}
    return StepRecord(**{**content, **issues})


def first_failure(records: Sequence[StepRecord]) -> StepRecord | None:
    """Return the first record with a problem; None if all steps succeeded."""
    return next((record for record in records if not record.succeeded), None)
