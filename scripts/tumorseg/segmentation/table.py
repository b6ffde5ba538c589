"""What became of all new patients: a record of each batch, one table of all, and the gist of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tumorseg import tables
from tumorseg.counts import counted, part_is
from tumorseg.files import read_json, write_json
from tumorseg.segmentation.outcome import Patient

RECORD: Final = "patients.json"
"""The record of a batch, in its folder, and that of all, in the folder of all masks."""
TABLE: Final = "volumes.tsv"


def write_record(folder: Path, patients: Sequence[Patient], how: Mapping[str, Any]) -> None:
    """Write what became of the patients of a batch into its folder.

    how: models, structures and settings, equal in all batches.
    """
    write_json(folder / RECORD, {"how": how, "patients": [asdict(patient) for patient in patients]})


def read_records(folders: Sequence[Path]) -> tuple[list[Patient], dict[str, Any]]:
    """The patients of all batches, sorted by case, and how they were segmented."""
    records = [read_json(folder / RECORD) for folder in folders]
    patients = [Patient.from_json(content) for record in records for content in record["patients"]]
    return sorted(patients, key=lambda patient: patient.case), records[0]["how"]


def write_table(path: Path, patients: Iterable[Patient], structures: Iterable[str]) -> None:
    """Write one row a patient as TSV: `segmented` is true or false, volumes are in mm³, empty without a mask.

    structures: those that have a column.
    warnings: codes, comma-separated. warning_messages: the same in words.
    """
    names = list(structures)
    tables.write_table(path, pd.DataFrame([_row(patient, names) for patient in patients]))


def gist(patients: Sequence[Patient], table: Path, how: Mapping[str, Any]) -> list[str]:
    """What to print at the end: how many patients are segmented, why the others are not, and all warnings in words.

    A warning that several patients have stands there once. how: as `read_records` returns it.
    """
    left = [patient for patient in patients if not patient.segmented]
    done = [patient for patient in patients if patient.segmented]
    everyone = f"{counted(len(done), 'patient')} {'is' if len(done) == 1 else 'are'}"
    count = part_is(len(done), len(patients), "patient") if left else everyone
    models = how["models"] if done else []
    marks = [f"{model['mark']} ({model['file']})" for model in models if model["mark"]]
    return [
        *(f"segmented by {model['file']} (SHA-256 {model['digest']})" for model in models),
        *(f"NOT segmented: {patient.case}: {patient.problems}: {patient.detail}" for patient in left),
        *_warnings(patients),
        *marks,
        f"{count} segmented; volumes and warnings: {table}",
    ]


def _warnings(patients: Iterable[Patient]) -> Iterator[str]:
    """One line for each warning with the patients that have it. That of demonstration models is about none of them."""
    cases: dict[str, list[str]] = {}
    for patient in patients:
        own = [warning for warning in patient.warnings if warning.code != "demonstration_model"]
        for message in replace(patient, warnings=tuple(own)).warning_messages:
            cases.setdefault(message, []).append(patient.case)
    yield from (f"WARNING: {', '.join(names)}: {message}" for message, names in cases.items())


def _row(patient: Patient, structures: Sequence[str]) -> dict[str, Any]:
    return {
        "case": patient.case,
        "segmented": "true" if patient.segmented else "false",
        **{f"{structure}_mm3": patient.volumes.get(structure) for structure in structures},
        "problems": patient.problems,
        "detail": patient.detail,
        "warnings": ",".join(patient.warning_codes),
        "warning_messages": " | ".join(patient.warning_messages),
    }
