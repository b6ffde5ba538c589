"""How large the tumours of a cohort are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tumorseg.cohort_page.cases import Case, volume_names
from tumorseg.task import Task

BINS: Final = 20


@dataclass(frozen=True)
class VolumeFacts:
    """One label, or the whole tumour, over the cases that have it.

    quartiles: smallest, lower quartile, median, upper quartile and largest in ml; empty where no case has it. bins:
    cases in `BINS` equal parts from 0 to the largest.
    """

    key: str
    name: str
    present: int
    absent: int
    quartiles: tuple[float, ...]
    bins: tuple[int, ...]


def volume_facts(cases: Sequence[Case], task: Task) -> list[VolumeFacts]:
    """The facts of each label and of the whole tumour, over the cases whose volumes are known."""
    return [
        _of(key, name, [case.volumes[key] for case in cases if case.volumes])
        for key, name in volume_names(task).items()
    ]


def _of(key: str, name: str, volumes: Sequence[float]) -> VolumeFacts:
    present = [volume for volume in volumes if volume > 0]
    absent = len(volumes) - len(present)
    if not present:
        return VolumeFacts(key, name, 0, absent, (), ())
    quartiles = tuple(float(value) for value in np.percentile(present, (0, 25, 50, 75, 100)))
    bins = tuple(int(count) for count in np.histogram(present, BINS, (0, quartiles[-1]))[0])
    return VolumeFacts(key, name, len(present), absent, quartiles, bins)
