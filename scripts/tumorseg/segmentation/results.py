"""The result of each new patient: the record of a batch, the table of all patients, and the printed summary."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

import pandas as pd

from tumorseg.cohort.validation_result import Issue, describe_issue
from tumorseg.formatting import format_count, format_part
from tumorseg.io import tables
from tumorseg.io.files import read_json, write_json


@dataclass(frozen=True)
class PatientResult:
    """What became of a case. problems: codes, comma-separated. detail: the messages of the problems.

    warnings: what is unusual about the case, as given, and about it as an input of the models. volumes: mm³ by
    structure, empty where the case was not segmented. windowed: whether the mask is made of windows. changed: voxels
    that each step of the post-processing changed. files: `path`, `bytes` and `digest` of each image, as in `Verdict`.
    """

    case: str
    problems: str = ""
    detail: str = ""
    warnings: tuple[Issue, ...] = ()
    volumes: dict[str, float] = field(default_factory=dict)
    windowed: bool = False
    changed: dict[str, int] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)

    @property
    def segmented(self) -> bool:
        """Whether there is a mask."""
        return not self.problems

    @property
    def warning_codes(self) -> list[str]:
        """The codes of the warnings, each once."""
        return list(dict.fromkeys(warning.code for warning in self.warnings))

    @property
    def warning_messages(self) -> list[str]:
        """The warnings in words, each once."""
        return list(dict.fromkeys(" ".join(describe_issue(warning, self.case).split()) for warning in self.warnings))

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """From plain JSON types."""
        return cls(**{**content, "warnings": tuple(Issue(**warning) for warning in content["warnings"])})


RECORD_FILE: Final = "patients.json"
"""The record of a batch, in its folder, and that of all, in the folder of all masks."""
TABLE_FILE: Final = "volumes.tsv"


def write_record(folder: Path, patients: Sequence[PatientResult], how: Mapping[str, Any]) -> None:
    """Write what became of the patients of a batch into its folder.

    how: models, structures and settings, equal in all batches.
    """
    write_json(folder / RECORD_FILE, {"how": how, "patients": [asdict(patient) for patient in patients]})


def read_records(folders: Sequence[Path]) -> tuple[list[PatientResult], dict[str, Any]]:
    """The patients of all batches, sorted by case, and how they were segmented."""
    records = [read_json(folder / RECORD_FILE) for folder in folders]
    patients = [PatientResult.from_json(content) for record in records for content in record["patients"]]
    return sorted(patients, key=lambda patient: patient.case), records[0]["how"]


def write_table(path: Path, patients: Iterable[PatientResult], structures: Iterable[str]) -> None:
    """Write one row a patient as TSV: `segmented` is true or false, volumes are in mm³, empty without a mask.

    structures: those that have a column.
    warnings: codes, comma-separated. warning_messages: the same in words.
    """
    names = list(structures)
    tables.write_table(path, pd.DataFrame([_row(patient, names) for patient in patients]))


def summary_lines(patients: Sequence[PatientResult], table: Path, how: Mapping[str, Any]) -> list[str]:
    """What to print at the end: how many patients are segmented, why the others are not, and all warnings in words.

    A warning that several patients have stands there once. how: as `read_records` returns it.
    """
    left = [patient for patient in patients if not patient.segmented]
    done = [patient for patient in patients if patient.segmented]
    everyone = f"{format_count(len(done), 'patient')} {'is' if len(done) == 1 else 'are'}"
    count = format_part(len(done), len(patients), "patient") if left else everyone
    models = how["models"] if done else []
    marks = [f"{model['mark']} ({model['file']})" for model in models if model["mark"]]
    return [
        *(f"segmented by {model['file']} (SHA-256 {model['digest']})" for model in models),
        *(f"NOT segmented: {patient.case}: {patient.problems}: {patient.detail}" for patient in left),
        *_warnings(patients),
        *marks,
        f"{count} segmented; volumes and warnings: {table}",
    ]


def _warnings(patients: Iterable[PatientResult]) -> Iterator[str]:
    """One line for each warning with the patients that have it. That of demonstration models is about none of them."""
    cases: dict[str, list[str]] = {}
    for patient in patients:
        own = [warning for warning in patient.warnings if warning.code != "demonstration_model"]
        for message in replace(patient, warnings=tuple(own)).warning_messages:
            cases.setdefault(message, []).append(patient.case)
    yield from (f"WARNING: {', '.join(names)}: {message}" for message, names in cases.items())


def _row(patient: PatientResult, structures: Sequence[str]) -> dict[str, Any]:
    return {
        "case": patient.case,
        "segmented": "true" if patient.segmented else "false",
        **{f"{structure}_mm3": patient.volumes.get(structure) for structure in structures},
        "problems": patient.problems,
        "detail": patient.detail,
        "warnings": ",".join(patient.warning_codes),
        "warning_messages": " | ".join(patient.warning_messages),
    }
