"""The plan of the demo cohort: its cases and their files, named from the settings and the task alone.

It is read whenever the workflow is planned, so it imports little. Names follow the task: for the default task they are
those of BraTS 2023 (https://www.synapse.org/Synapse:syn51156910), `BraTS-GLI-{patient}-{time point}` before
`/{case}-t1n.nii.gz`, masks `-seg`. A task with all channels in one file gets the folders of the Decathlon.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tumorseg.cohort.file_names import MASK
from tumorseg.errors import UserError
from tumorseg.task import Task

Corruption = Literal["truncated", "missing_modality", "mask_shape"]

CORRUPTIONS: Final[tuple[Corruption, ...]] = ("truncated", "missing_modality", "mask_shape")
"""What is wrong with the last cases of the cohort, one each."""
MIN_CASES: Final = 6
"""Two time points of the first patient, one more sound case, and the three damaged ones."""
DATASET_JSON: Final = "dataset.json"
"""Stands beside the folders of the Decathlon."""

_FIRST_PATIENTS: Final = (90001, 901, 1)
"""The first of these that gives names such as the task expects is the number of the first patient."""
_TIME_POINTS: Final = 2


@dataclass(frozen=True)
class DemoCase:
    """One planned case.

    seed: of the acquisition (contrast, bias, noise), of this case alone. patient_seed: of anatomy and tumour, equal for
    all time points of a patient. time_point: 0 or 1; a tumour has grown at 1. foci: number of separate tumours.
    files: the channels of the task and `seg` to path below the cohort's root, with forward slashes; channels may share
    one. damaged_role: what the damage strikes, or None. folder: of the case alone, None without one.
    """

    case: str
    patient: int
    seed: tuple[int, int]
    patient_seed: tuple[int, int]
    time_point: int
    enhancing: bool
    foci: int
    damage: Corruption | None
    damaged_role: str | None
    files: dict[str, str] = field(hash=False)
    folder: str | None = None


def plan_cases(settings: dict[str, Any], task: Task) -> list[DemoCase]:
    """The cases that the `demo` settings (`cases`, `spacing_mm`, `seed`) ask for, in the order of their names.

    The first two are time points of one patient, or two patients where names of cases have no time point; the last
    three are damaged, each in its own way; of the sound ones between, every fourth (the first, the fifth, …) has two
    foci and every fourth (the third, the seventh, …) no enhancing part. Raises UserError for fewer than
    `MINIMUM_CASES`.
    """
    total = int(settings["cases"])
    if total < MIN_CASES:
        raise UserError(f"demo.cases is {total}: set it to {MIN_CASES} or more")
    first = next((first for first in _FIRST_PATIENTS if _names_match_task(task, first, total)), _FIRST_PATIENTS[0])
    return [_plan_case(number, total, int(settings["seed"]), first, task) for number in range(total)]


def other_files(task: Task) -> list[str]:
    """The files of the cohort that belong to no case."""
    return [DATASET_JSON] if has_one_file_per_case(task) else []


def has_one_file_per_case(task: Task) -> bool:
    """Whether all channels of a case are in one file."""
    return any(channel.volume is not None for channel in task.channels)


def task_facts(task: Task) -> dict[str, Any]:
    """What the files of the cohort depend on, in plain JSON types."""
    return {
        "channels": [[channel.name, list(channel.files), channel.volume] for channel in task.channels],
        "mask_files": list(task.mask_files),
        "labels": {str(label.value): label.meaning for label in task.labels},
        "written": {str(label): value for label, value in task.written(newest_convention(task)).items()},
        "names": [task.case_name, task.first_time_point, task.case_names],
    }


def newest_convention(task: Task) -> str:
    """The convention in which the masks are written: the last one of the task."""
    return list(task.conventions)[-1]


def _plan_case(number: int, total: int, seed: int, first_patient: int, task: Task) -> DemoCase:
    timed = _has_time_points(task)
    time_point = number if timed and number < _TIME_POINTS else 0
    patient = first_patient + (max(number - _TIME_POINTS + 1, 0) if timed else number)
    case = _case_name(task, patient, time_point)
    first_damaged = total - len(CORRUPTIONS)
    corruption = CORRUPTIONS[number - first_damaged] if number >= first_damaged else None
    trait = (number - _TIME_POINTS) % 4 if _TIME_POINTS <= number < first_damaged else None
    return DemoCase(
        case=case,
        patient=patient,
        seed=(seed, number),
        patient_seed=(seed, number - time_point),
        time_point=time_point,
        enhancing=trait != 2,
        foci=2 if trait == 0 else 1,
        damage=corruption,
        damaged_role=_corrupted_role(corruption, task),
        files=_case_files(case, corruption, task),
        folder=None if has_one_file_per_case(task) else case,
    )


def _corrupted_role(corruption: Corruption | None, task: Task) -> str | None:
    """The display channel is truncated, the second channel is missing."""
    needed = [channel.name for channel in task.channels if not channel.optional]
    struck = {
        "truncated": task.channel_names[task.display_channel],
        "missing_modality": needed[1 % len(needed)],
        "mask_shape": MASK,
    }
    return struck[corruption] if corruption else None


def _case_files(case: str, corruption: Corruption | None, task: Task) -> dict[str, str]:
    if has_one_file_per_case(task):
        return {**dict.fromkeys(task.channel_names, f"imagesTr/{case}.nii.gz"), MASK: f"labelsTr/{case}.nii.gz"}
    ends = {channel.name: (*channel.files, channel.name)[0] for channel in task.channels}
    files = {role: f"{case}/{case}-{end}.nii.gz" for role, end in {**ends, MASK: (*task.mask_files, MASK)[0]}.items()}
    if corruption == "missing_modality":
        del files[str(_corrupted_role(corruption, task))]
    return files


def _names_match_task(task: Task, first_patient: int, total: int) -> bool:
    names = (_case_name(task, patient, 0) for patient in (first_patient, first_patient + total))
    return task.case_names is None or all(re.fullmatch(task.case_names, name) for name in names)


def _has_time_points(task: Task) -> bool:
    return _case_name(task, 1, 0) != _case_name(task, 1, 1)


def _case_name(task: Task, patient: int, time_point: int) -> str:
    return task.case_name.format(patient=patient, time_point=task.first_time_point + time_point)
