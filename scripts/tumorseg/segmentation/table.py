"""What became of all new patients: a record of each batch, one table of all, and the gist of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tumorseg import tables
from tumorseg.counts import part_is
from tumorseg.files import read_json, write_json
from tumorseg.labels import STRUCTURES
from tumorseg.segmentation.outcome import Patient

RECORD: Final = "patients.json"
"""The record of a batch, in its folder, and that of all, in the folder of all masks."""
TABLE: Final = "volumes.tsv"


def write_record(folder: Path, patients: Sequence[Patient], how: Mapping[str, Any]) -> None:
    """Write what became of the patients of a batch into its folder. how: models and settings, equal in all batches."""
    write_json(folder / RECORD, {"how": how, "patients": [asdict(patient) for patient in patients]})


def read_records(folders: Sequence[Path]) -> tuple[list[Patient], dict[str, Any]]:
    """The patients of all batches, sorted by case, and how they were segmented."""
    records = [read_json(folder / RECORD) for folder in folders]
    patients = [Patient(**content) for record in records for content in record["patients"]]
    return sorted(patients, key=lambda patient: patient.case), records[0]["how"]


def write_table(path: Path, patients: Iterable[Patient]) -> None:
    """Write one row a patient as TSV: `segmented` is true or false, volumes are in mm³, empty without a mask."""
    tables.write_table(path, pd.DataFrame([_row(patient) for patient in patients]))


def gist(patients: Sequence[Patient], table: Path) -> list[str]:
    """How many patients are segmented, why the others are not, and where the table is."""
    left = [patient for patient in patients if not patient.segmented]
    lines = [f"{part_is(len(patients) - len(left), len(patients), 'case')} segmented; volumes and warnings: {table}"]
    return [*lines, *(f"NOT segmented: {patient.case}: {patient.problems}: {patient.detail}" for patient in left)]


def _row(patient: Patient) -> dict[str, Any]:
    return {
        "case": patient.case,
        "segmented": "true" if patient.segmented else "false",
        **{f"{structure}_mm3": patient.volumes.get(structure) for structure in STRUCTURES},
        **{key: getattr(patient, key) for key in ("problems", "detail", "warnings")},
    }
