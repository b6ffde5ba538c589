"""Results of new patients: the record of a job, the table of all patients, and the printed summary."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

import pandas as pd

from tumorseg.clinical.course_table import RESEARCH_USE
from tumorseg.clinical.measures import ClinicalMeasures, Measure
from tumorseg.cohort.validation_result import Issue, describe_issue
from tumorseg.errors import Message
from tumorseg.formatting import format_count, format_part
from tumorseg.io.files import read_json, write_json
from tumorseg.io.tables import write_table
from tumorseg.metrics.conformal import LEVEL
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
        expected_dice: Dice to expect of each structure: by the held-out cases with the same images, see `trust.Trust`;
            if there are too few and images are missing, the mean of `missing_channels.ChannelCheck`.
        volumes: volume of each structure in mm³; empty if the patient was not segmented.
        measures: volumes and diameters for clinicians; None if the patient was not segmented.
        volume_intervals: interval for the true volume of each structure in mm³; empty if it is not known.
        without_interval: why there are no intervals.
        attention: reasons to look at this mask.
        quality: what each network says about its mask, by structure, see `metrics.mask_quality.MaskQuality`.
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
    volume_intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    without_interval: Message = ""
    attention: tuple[Message, ...] = ()
    quality: list[dict[str, dict[str, Any]]] = field(default_factory=list)
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
        measures = content.get("measures")
        parsed = {
            "warnings": tuple(Issue(**warning) for warning in content["warnings"]),
            "channels": tuple(content["channels"]),
            "volume_intervals": {name: (low, high) for name, (low, high) in content["volume_intervals"].items()},
            "attention": tuple(content["attention"]),
            "measures": None if measures is None else ClinicalMeasures.from_json(measures),
        }
        return cls(**{**content, **parsed})


def trust_lines(patient: PatientResult, regions: Sequence[str]) -> list[str]:
    """Return the intervals of the volumes and the expected Dice of some structures as lines of text.

    Args:
        patient: the result.
        regions: names of the structures.
    """
    intervals = [
        f"{name} {patient.volume_intervals[name][0] / 1000:.1f} to {patient.volume_intervals[name][1] / 1000:.1f} ml"
        for name in regions
        if name in patient.volume_intervals
    ]
    dice = [f"{name} {patient.expected_dice[name]:.2f}" for name in regions if name in patient.expected_dice]
    return [
        *([f"{100 * LEVEL:g} % intervals of the volumes: {', '.join(intervals)}"] if intervals else []),
        *([f"Expected Dice: {', '.join(dice)}"] if dice else []),
    ]


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
    a mask), both ends of the volume's interval and the expected Dice (empty if unknown), `attention` (why to look at
    the mask), `channels` (the images of the patient, separated by commas), `problems` (codes), `detail`, `warnings`
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
        *_without_intervals(segmented),
        *(f"LOOK AT {patient.case}: {'; '.join(patient.attention)}" for patient in segmented if patient.attention),
        *marks,
        f"{count} segmented; volumes and warnings, {RESEARCH_USE}: {table}",
    ]


def _warnings(patients: Iterable[PatientResult]) -> Iterator[str]:
    """Yield a line for each warning with the patients that have it, without the notices of models."""
    cases: dict[str, list[str]] = {}
    for patient in patients:
        warnings = [warning for warning in patient.warnings if warning.code not in NOTICE_CODES]
        for message in replace(patient, warnings=tuple(warnings)).warning_messages:
            cases.setdefault(message, []).append(patient.case)
    yield from (f"WARNING: {', '.join(names)}: {message}" for message, names in cases.items())


def _without_intervals(segmented: Iterable[PatientResult]) -> Iterator[str]:
    """Yield a line for each reason why volumes have no intervals, with the number of its patients."""
    reasons = Counter(patient.without_interval for patient in segmented if patient.without_interval)
    for reason, number in reasons.items():
        yield f"no intervals of the volumes of {format_count(number, 'patient')}: {reason}"


def _row(patient: PatientResult, structures: Sequence[str], measures: Sequence[Measure]) -> dict[str, Any]:
    return {
        "case": patient.case,
        "segmented": "true" if patient.segmented else "false",
        **{f"{structure}_mm3": patient.volumes.get(structure) for structure in structures},
        **{measure.name: measure.number(patient.measures) for measure in measures},
        **{f"{name}_mm3_{end}": value for name in structures for end, value in _interval(patient, name)},
        **{f"expected_dice_{structure}": patient.expected_dice.get(structure) for structure in structures},
        "attention": " | ".join(patient.attention),
        "channels": ",".join(patient.channels),
        "problems": patient.problems,
        "detail": patient.detail,
        "warnings": ",".join(patient.warning_codes),
        "warning_messages": " | ".join(patient.warning_messages),
    }


def _interval(patient: PatientResult, structure: str) -> Iterator[tuple[str, float | None]]:
    """Yield the name and value of both ends of an interval; None if it is not known."""
    yield from zip(("low", "high"), patient.volume_intervals.get(structure, (None, None)), strict=True)
