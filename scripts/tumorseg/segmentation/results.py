"""Results of new patients: the record of a job, the table of all patients, and the printed summary."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

import pandas as pd

from tumorseg.clinical.measures import ClinicalMeasures, Measure
from tumorseg.cohort.validation_result import Issue, describe_issue
from tumorseg.formatting import format_count, format_part
from tumorseg.io.files import read_json, write_json
from tumorseg.io.tables import write_table
from tumorseg.networks.notices import NOTICE_CODES


@dataclass(frozen=True)
class PatientResult:
    """The result of a patient.

    Attributes:
        case: name of the case.
        problems: codes of the problems, separated by commas; empty if the patient was segmented.
        detail: messages of the problems.
        warnings: warnings about the images, and about differences from the training cases.
        channels: names of the images that the patient has.
        expected_dice: Dice to expect of each structure if images are missing, see `missing_channels.ChannelCheck`.
        volumes: volume of each structure in mm³; empty if the patient was not segmented.
        measures: volumes and diameters for clinicians; None if the patient was not segmented.
        windowed: whether sliding windows were used.
        changed: number of voxels that each post-processing step changed.
        files: `path`, `bytes` and `digest` of each image.
    """

    case: str
    problems: str = ""
    detail: str = ""
    warnings: tuple[Issue, ...] = ()
    channels: tuple[str, ...] = ()
    expected_dice: dict[str, float] = field(default_factory=dict)
    volumes: dict[str, float] = field(default_factory=dict)
    measures: ClinicalMeasures | None = None
    windowed: bool = False
    changed: dict[str, int] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)

    @property
    def segmented(self) -> bool:
        """Whether the patient has a mask."""
        return not self.problems

    @property
    def warning_codes(self) -> list[str]:
        """The codes of the warnings, without duplicates."""
        return list(dict.fromkeys(warning.code for warning in self.warnings))

    @property
    def warning_messages(self) -> list[str]:
        """The messages of the warnings, without duplicates."""
        return list(dict.fromkeys(" ".join(describe_issue(warning, self.case).split()) for warning in self.warnings))

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the result from plain JSON types."""
        warnings = tuple(Issue(**warning) for warning in content["warnings"])
        measures = content.get("measures")
        return cls(
            **{
                **content,
                "warnings": warnings,
                "channels": tuple(content["channels"]),
                "measures": None if measures is None else ClinicalMeasures.from_json(measures),
            }
        )


RECORD_FILE: Final = "patients.json"
"""Name of the record in the folder of a job, and in the folder of all masks."""
TABLE_FILE: Final = "volumes.tsv"


def write_record(folder: Path, patients: Sequence[PatientResult], method: Mapping[str, Any]) -> None:
    """Write the results of patients to the record of a folder.

    Args:
        folder: folder of the masks.
        patients: results of the patients.
        method: models, structures and settings, the same for all patients.
    """
    write_json(folder / RECORD_FILE, {"how": method, "patients": [asdict(patient) for patient in patients]})


def read_records(folders: Sequence[Path]) -> tuple[list[PatientResult], dict[str, Any]]:
    """Return the results of all folders, sorted by case, and the method, as `write_record` takes it."""
    records = [read_json(folder / RECORD_FILE) for folder in folders]
    patients = [PatientResult.from_json(content) for record in records for content in record["patients"]]
    return sorted(patients, key=lambda patient: patient.case), records[0]["how"]


def write_volume_table(
    path: Path, patients: Iterable[PatientResult], structures: Iterable[str], measures: Sequence[Measure] = ()
) -> None:
    """Write a TSV table with a row per patient.

    Columns are `case`, `segmented` (true or false), the volume of each structure in mm³ and each measure (empty without
    a mask), `channels` (the images of the patient, separated by commas), `problems` (codes), `detail`, `warnings`
    (codes) and `warning_messages`.

    Args:
        path: file to write.
        patients: results of the patients.
        structures: names of the structures.
        measures: further columns, see `clinical.measures.diameter_measures`.
    """
    names = list(structures)
    write_table(path, pd.DataFrame([_row(patient, names, measures) for patient in patients]))


def segmentation_summary(patients: Sequence[PatientResult], table: Path, method: Mapping[str, Any]) -> list[str]:
    """Return the lines to print at the end: models, patients that were not segmented, warnings and the table.

    Patients with the same warning share a line.

    Args:
        patients: results of all patients.
        table: path of the table.
        method: models, structures and settings, from `read_records`.
    """
    failed = [patient for patient in patients if not patient.segmented]
    segmented = [patient for patient in patients if patient.segmented]
    all_segmented = f"{format_count(len(segmented), 'patient')} {'is' if len(segmented) == 1 else 'are'}"
    count = format_part(len(segmented), len(patients), "patient") if failed else all_segmented
    models = method["models"] if segmented else []
    marks = [f"{model['mark']} ({model['file']})" for model in models if model["mark"]]
    return [
        *(f"segmented by {model['file']} (SHA-256 {model['digest']})" for model in models),
        *(f"NOT segmented: {patient.case}: {patient.problems}: {patient.detail}" for patient in failed),
        *_warnings(patients),
        *marks,
        f"{count} segmented; volumes and warnings: {table}",
    ]


def _warnings(patients: Iterable[PatientResult]) -> Iterator[str]:
    """Yield a line for each warning with the patients that have it, without the notices of models."""
    cases: dict[str, list[str]] = {}
    for patient in patients:
        warnings = [warning for warning in patient.warnings if warning.code not in NOTICE_CODES]
        for message in replace(patient, warnings=tuple(warnings)).warning_messages:
            cases.setdefault(message, []).append(patient.case)
    yield from (f"WARNING: {', '.join(names)}: {message}" for message, names in cases.items())


def _row(patient: PatientResult, structures: Sequence[str], measures: Sequence[Measure]) -> dict[str, Any]:
    return {
        "case": patient.case,
        "segmented": "true" if patient.segmented else "false",
        **{f"{structure}_mm3": patient.volumes.get(structure) for structure in structures},
        **{measure.name: measure.number(patient.measures) for measure in measures},
        "channels": ",".join(patient.channels),
        "problems": patient.problems,
        "detail": patient.detail,
        "warnings": ",".join(patient.warning_codes),
        "warning_messages": " | ".join(patient.warning_messages),
    }
