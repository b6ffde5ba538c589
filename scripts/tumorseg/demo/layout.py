"""The plan of the demo cohort: its cases and their files, named from the settings alone.

Read each time the workflow is planned, hence free of heavy imports. Names follow BraTS 2023
(https://www.synapse.org/Synapse:syn51156910): `BraTS-GLI-{patient}-{time point}/{case}-t1n.nii.gz`, masks `-seg`.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tumorseg.errors import UserError
from tumorseg.task import load_task

Damage = Literal["truncated", "missing_modality", "mask_shape"]

DAMAGES: Final[tuple[Damage, ...]] = ("truncated", "missing_modality", "mask_shape")
"""What is wrong with the last cases of the cohort, one each."""
DAMAGED_ROLE: Final[dict[Damage, str]] = {"truncated": "flair", "missing_modality": "t1ce", "mask_shape": "seg"}
"""The file that each damage strikes."""
MINIMUM_CASES: Final = 6
"""Two time points of the first patient, one more sound case, and the three damaged ones."""

_FIRST_PATIENT: Final = 90001
_TIME_POINTS: Final = 2


@dataclass(frozen=True)
class DemoCase:
    """One planned case.

    seed: of the acquisition (contrast, bias, noise), of this case alone. patient_seed: of anatomy and tumour, equal for
    all time points of a patient. time_point: 0 or 1; a tumour has grown at 1. foci: number of separate tumours.
    files: role (`t1`, `t1ce`, `t2`, `flair`, `seg`) to path below the cohort's root, with forward slashes.
    """

    case: str
    patient: str
    seed: tuple[int, int]
    patient_seed: tuple[int, int]
    time_point: int
    enhancing: bool
    foci: int
    damage: Damage | None
    files: dict[str, str] = field(hash=False)


def planned_cases(settings: dict[str, Any]) -> list[DemoCase]:
    """The cases that the `demo` settings (`cases`, `spacing_mm`, `seed`) ask for, in the order of their names.

    The first two are time points of one patient; the last three are damaged, each in its own way; of the sound ones
    between, every fourth (the first, the fifth, …) has two foci and every fourth (the third, the seventh, …) no
    enhancing part. Raises UserError for fewer than `MINIMUM_CASES`.
    """
    total = int(settings["cases"])
    if total < MINIMUM_CASES:
        raise UserError(f"demo.cases is {total}: set it to {MINIMUM_CASES} or more")
    return [_planned(number, total, int(settings["seed"])) for number in range(total)]


def _planned(number: int, total: int, seed: int) -> DemoCase:
    time_point = number if number < _TIME_POINTS else 0
    patient_number = max(number - _TIME_POINTS + 1, 0)
    patient = f"BraTS-GLI-{_FIRST_PATIENT + patient_number}"
    case = f"{patient}-{time_point:03d}"
    first_damaged = total - len(DAMAGES)
    damage = DAMAGES[number - first_damaged] if number >= first_damaged else None
    trait = (number - _TIME_POINTS) % 4 if _TIME_POINTS <= number < first_damaged else None
    suffixes: dict[str, str] = {}
    for ending, role in load_task().file_endings:
        suffixes.setdefault(role, ending)
    absent = DAMAGED_ROLE["missing_modality"] if damage == "missing_modality" else None
    return DemoCase(
        case=case,
        patient=patient,
        seed=(seed, number),
        patient_seed=(seed, number - time_point),
        time_point=time_point,
        enhancing=trait != 2,
        foci=2 if trait == 0 else 1,
        damage=damage,
        files={role: f"{case}/{case}-{suffix}.nii.gz" for role, suffix in suffixes.items() if role != absent},
    )
