"""What the pages of new patients say about each of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tumorseg.clinical.measures import ClinicalMeasures, Measure, diameter_measures
from tumorseg.cohort.validation_result import PROBLEM_CODES
from tumorseg.formatting import format_decimal
from tumorseg.networks.notices import NOTICE_CODES
from tumorseg.preparation.issue_codes import PREPARATION_PROBLEMS
from tumorseg.preparation.patient_records import PatientRecord
from tumorseg.reporting.segmentations_page.steps import StepQuality, issue_messages, step_qualities
from tumorseg.segmentation.result_files import file_address, page_file, picture_file, viewer_file
from tumorseg.segmentation.results import PatientResult
from tumorseg.task import Task

_OTHER_PROBLEMS: Final = {
    "not_finite_prediction": "An output of the network is not a number.",
    "too_large_after_resampling": "The header of an image has impossibly large voxels.",
    "failed": "An unexpected error.",
}
"""Description of the problem codes of the segmentation itself."""


@dataclass(frozen=True)
class Volume:
    """The volume of a structure.

    Attributes:
        name: name of the structure.
        title: its name on pages.
        is_label: whether it is a single label instead of a region.
        ml: its volume in ml; None if there is no mask.
        interval_ml: interval for its true volume in ml; None if it is not known.
        dice: Dice to expect; None if it is not known.
    """

    name: str
    title: str
    is_label: bool
    ml: float | None
    interval_ml: tuple[float, float] | None
    dice: float | None


@dataclass(frozen=True)
class PatientSummary:
    """What the pages say about a patient.

    Attributes:
        case: name of the case.
        date: date of the images; empty if it is not known.
        segmented: whether there is a mask.
        problems: code and meaning of each problem, which is why there is none.
        reasons: messages of the problems: what is wrong and what to do.
        attention: reasons to look at this mask.
        warnings: messages of the warnings about the patient, without the notices of models, which all patients have.
        images: titles of the images that the patient has.
        missing: titles of the images that the patient lacks.
        volumes: volume of each structure.
        diameters: number and diameters of lesions, each with its unit; empty if they were not measured.
        without_interval: why no volume has an interval; empty if that is not known either.
        steps: quality of each preparation step; empty if the images were prepared already.
        changes: what post-processing changed, in words, and the number of voxels.
        windowed: whether the network was applied to overlapping windows.
        files: `path`, `bytes` and `digest` of each file that was read.
    """

    case: str
    date: str
    segmented: bool
    problems: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]
    attention: tuple[str, ...]
    warnings: tuple[str, ...]
    images: tuple[str, ...]
    missing: tuple[str, ...]
    volumes: tuple[Volume, ...]
    diameters: tuple[tuple[Measure, str], ...]
    without_interval: str
    steps: tuple[StepQuality, ...]
    changes: tuple[tuple[str, int], ...]
    windowed: bool
    files: tuple[Mapping[str, Any], ...]

    @property
    def urgency(self) -> int:
        """3 without a mask, 2 with reasons to look at it, 1 with other warnings, else 0."""
        return 3 if not self.segmented else 2 if self.attention else 1 if self.warnings else 0

    @property
    def status(self) -> str:
        """The urgency in words."""
        return ("no warning", "has warnings", "look at this one", "not segmented")[self.urgency]

    @property
    def remarks(self) -> tuple[str, ...]:
        """All that somebody must know about the patient: reasons, then warnings."""
        return (*self.reasons, *self.attention, *self.warnings)

    @property
    def page(self) -> str:
        """Address of the patient's own page, from the page of all patients; likewise for the other files."""
        return file_address(page_file(self.case))

    @property
    def picture(self) -> str:
        """Address of the picture."""
        return file_address(picture_file(self.case))

    @property
    def viewer_script(self) -> str:
        """Address of the volumes for the viewer."""
        return file_address(viewer_file(self.case))


def summarise_patients(
    results: Sequence[PatientResult], records: Mapping[str, Sequence[PatientRecord]], task: Task
) -> list[PatientSummary]:
    """Return a summary of each patient: first those without a mask, then those to look at, then the others, by name.

    Args:
        results: results of all patients, see `prepared_patients.add_preparation`.
        records: records of the preparation, by case.
        task: defines the channels, labels and regions.
    """
    summaries = [_summary(result, records.get(result.case, ()), task) for result in results]
    return sorted(summaries, key=lambda patient: (-patient.urgency, patient.case))


def _summary(result: PatientResult, records: Sequence[PatientRecord], task: Task) -> PatientSummary:
    warnings = [warning for warning in result.warnings if warning.code not in NOTICE_CODES]
    meanings = {**PROBLEM_CODES, **PREPARATION_PROBLEMS, **_OTHER_PROBLEMS}
    dates = [str(entry.record.facts["study_date"]) for entry in records if entry.record.facts.get("study_date")]
    return PatientSummary(
        case=result.case,
        date=dates[0] if dates else "",
        segmented=result.segmented,
        problems=tuple((code, meanings.get(code, "")) for code in result.problems.split(",") if code),
        reasons=tuple(result.detail.split(" | ")) if result.problems else (),
        attention=result.attention,
        warnings=tuple(issue_messages(warnings, result.case)),
        images=tuple(task.channel_titles[name] for name in result.channels),
        missing=tuple(title for name, title in task.channel_titles.items() if name not in result.channels),
        volumes=tuple(_volumes(result, task)),
        diameters=tuple(_diameters(result.measures, task)),
        without_interval=result.without_interval,
        steps=tuple(step_qualities(records, task.channel_titles)),
        changes=tuple((_change_in_words(key, task), voxels) for key, voxels in result.changed.items() if voxels),
        windowed=result.windowed,
        files=tuple(result.files),
    )


def _volumes(result: PatientResult, task: Task) -> Iterator[Volume]:
    """Yield the volume of each structure; the result has them in mm³."""
    for name, title in task.structure_titles.items():
        mm3 = result.volumes.get(name)
        interval = result.volume_intervals.get(name)
        yield Volume(
            name,
            title,
            name in task.label_structures,
            None if mm3 is None else mm3 / 1000,
            None if interval is None else (interval[0] / 1000, interval[1] / 1000),
            result.expected_dice.get(name),
        )


def _diameters(measures: ClinicalMeasures | None, task: Task) -> Iterator[tuple[Measure, str]]:
    """Yield each measure of lesions that is defined, with its value in words."""
    for measure in diameter_measures(task):
        number = measure.number(measures)
        if number is not None:
            yield measure, f"{format_decimal(number, measure.decimals)} {measure.unit}".rstrip()


def _change_in_words(key: str, task: Task) -> str:
    """Return what a post-processing step changed, by its key in `Segmentation.changed`."""
    if key.startswith("removed_from_"):
        name = key.removeprefix("removed_from_")
        return f"small components removed from {task.structure_titles.get(name, name)}"
    return {"enhancing_made_core": "a small amount of enhancing tumour changed", "filled": "holes filled"}.get(key, key)
