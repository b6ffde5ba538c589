"""Plan the demo cohort: the names of its cases and files, from the settings and the task.

Snakemake imports this module to plan the jobs, so it imports little. Names follow the task. The default task has the
names of BraTS 2023 (https://www.synapse.org/Synapse:syn51156910): folders `BraTS-GLI-{patient}-{time point}`,
images `{case}-t1n.nii.gz`, masks `{case}-seg.nii.gz`. A task with all channels in one file gets the Decathlon's layout.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tumorseg.cohort.file_names import MASK
from tumorseg.errors import UserError
from tumorseg.task import Task

Corruption = Literal["truncated", "missing_modality", "mask_shape"]

CORRUPTIONS: Final[tuple[Corruption, ...]] = ("truncated", "missing_modality", "mask_shape")
"""Each of the last cases of the cohort has one of these, in this order."""
MIN_CASES: Final = 6
"""Two time points of the first patient, one more valid case, and three corrupted ones."""
DATASET_JSON: Final = "dataset.json"
"""Description file of the Decathlon's layout."""

_FIRST_PATIENTS: Final = (90001, 901, 1)
"""Possible numbers of the first patient. The first of these that gives valid case names for the task is used."""
_TIME_POINTS: Final = 2


@dataclass(frozen=True)
class DemoCase:
    """A planned case.

    Attributes:
        case: name of the case.
        patient: number of the patient.
        seed: seed of the acquisition (contrast, bias field, noise); differs between cases.
        patient_seed: seed of anatomy and tumour; equal for all time points of a patient.
        time_point: 0 or 1; the tumour is larger at 1.
        enhancing: whether the tumour has an enhancing part.
        foci: number of separate tumours.
        corruption: what is wrong with its files; None for a valid case.
        corrupted_role: corrupted channel or mask; None for a valid case.
        files: path by role, relative to the root, with `/`; channels may share a file.
        folder: name of the folder of the case; None if cases share folders.
    """

    case: str
    patient: int
    seed: tuple[int, int]
    patient_seed: tuple[int, int]
    time_point: int
    enhancing: bool
    foci: int
    corruption: Corruption | None
    corrupted_role: str | None
    files: dict[str, str] = field(hash=False)
    folder: str | None = None


def plan_cases(settings: dict[str, Any], task: Task) -> list[DemoCase]:
    """Plan the cases of the demo cohort.

    The first two are time points of one patient, or two patients if the task's case names have no time point. The last
    three are corrupted, each in another way. Of the other cases, the first, the fifth, … have two foci. The third, the
    seventh, … have no enhancing part.

    Args:
        settings: the `demo` section of the configuration.
        task: task of the cohort.

    Returns:
        The cases, sorted by name.

    Raises:
        UserError: `cases` is less than `MIN_CASES`.
    """
    total = int(settings["cases"])
    if total < MIN_CASES:
        raise UserError(f"demo.cases is {total}: set it to {MIN_CASES} or more")
    first = next((first for first in _FIRST_PATIENTS if _names_match_task(task, first, total)), _FIRST_PATIENTS[0])
    return [_plan_case(number, total, int(settings["seed"]), first, task) for number in range(total)]


def other_files(task: Task) -> list[str]:
    """Return the files of the cohort that belong to no case."""
    return [DATASET_JSON] if has_one_file_per_case(task) else []


def has_one_file_per_case(task: Task) -> bool:
    """Return whether all channels of a case are in one file."""
    return any(channel.volume is not None for channel in task.channels)


def demo_facts(task: Task) -> dict[str, Any]:
    """Return everything about the task that the files of the demo cohort depend on, as JSON types."""
    return {
        "channels": [[channel.name, list(channel.files), channel.volume] for channel in task.channels],
        "mask_files": list(task.mask_files),
        "labels": {str(label.value): label.meaning for label in task.labels},
        "written": {str(label): value for label, value in task.values_by_label(demo_convention(task)).items()},
        "names": [task.case_name, task.first_time_point, task.case_names],
    }


def demo_convention(task: Task) -> str:
    """Return the label convention of the demo's masks: the last one in the task."""
    return list(task.conventions)[-1]


def _plan_case(number: int, total: int, seed: int, first_patient: int, task: Task) -> DemoCase:
    has_time_points = _has_time_points(task)
    time_point = number if has_time_points and number < _TIME_POINTS else 0
    patient = first_patient + (max(number - _TIME_POINTS + 1, 0) if has_time_points else number)
    case = _case_name(task, patient, time_point)
    first_corrupted = total - len(CORRUPTIONS)
    corruption = CORRUPTIONS[number - first_corrupted] if number >= first_corrupted else None
    variant = (number - _TIME_POINTS) % 4 if _TIME_POINTS <= number < first_corrupted else None
    files = case_files(case, task)
    if corruption == "missing_modality" and not has_one_file_per_case(task):
        del files[str(_corrupted_role(corruption, task))]
    return DemoCase(
        case=case,
        patient=patient,
        seed=(seed, number),
        patient_seed=(seed, number - time_point),
        time_point=time_point,
        enhancing=variant != 2,
        foci=2 if variant == 0 else 1,
        corruption=corruption,
        corrupted_role=_corrupted_role(corruption, task),
        files=files,
        folder=None if has_one_file_per_case(task) else case,
    )


def _corrupted_role(corruption: Corruption | None, task: Task) -> str | None:
    """Return the role to corrupt: the display channel is truncated, the second required channel is missing."""
    required = [channel.name for channel in task.channels if not channel.optional]
    roles = {
        "truncated": task.channel_names[task.display_channel],
        "missing_modality": required[1 % len(required)],
        "mask_shape": MASK,
    }
    return roles[corruption] if corruption else None


def case_files(case: str, task: Task) -> dict[str, str]:
    """Return the path of each file of a case by role, relative to the root of a cohort."""
    if has_one_file_per_case(task):
        return {**dict.fromkeys(task.channel_names, f"imagesTr/{case}.nii.gz"), MASK: f"labelsTr/{case}.nii.gz"}
    endings = {channel.name: (*channel.files, channel.name)[0] for channel in task.channels}
    return {
        role: f"{case}/{case}-{ending}.nii.gz"
        for role, ending in {**endings, MASK: (*task.mask_files, MASK)[0]}.items()
    }


def _names_match_task(task: Task, first_patient: int, total: int) -> bool:
    names = (_case_name(task, patient, 0) for patient in (first_patient, first_patient + total))
    return task.case_names is None or all(re.fullmatch(task.case_names, name) for name in names)


def _has_time_points(task: Task) -> bool:
    return _case_name(task, 1, 0) != _case_name(task, 1, 1)


def _case_name(task: Task, patient: int, time_point: int) -> str:
    return task.case_name.format(patient=patient, time_point=task.first_time_point + time_point)
