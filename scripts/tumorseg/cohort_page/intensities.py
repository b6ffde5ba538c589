"""How bright the images of a cohort are, and which stand out."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from tumorseg.cohort_page.cases import Case
from tumorseg.task import Task

FIGURES: Final = {
    "min": "Minimum",
    "p01": "1st percentile",
    "median": "Median",
    "p99": "99th percentile",
    "max": "Maximum",
}
"""The figures of an image, by their key in the facts of a case."""
UNUSUAL: Final = 5.0
"""Robust z beyond which a case stands out."""
NAMED: Final = 3
"""Cases at most that are named for a modality."""
_NORMAL: Final = 1.4826  # of a normal distribution: its standard deviation, in median absolute deviations


@dataclass(frozen=True)
class Outlier:
    """A case whose median stands out. score: its robust z among the medians of all cases."""

    case: Case
    median: float
    score: float


@dataclass(frozen=True)
class IntensityFacts:
    """One modality. spans: smallest, median and largest over the cases of each of `FIGURES`; empty without cases.

    unusual: how many cases stand out. outliers: the farthest of them, `NAMED` at most.
    """

    name: str
    cases: int
    spans: dict[str, tuple[float, float, float]]
    unusual: int
    outliers: tuple[Outlier, ...]


def intensity_facts(cases: Sequence[Case], task: Task) -> list[IntensityFacts]:
    """The facts of each modality, over the cases whose intensities are known."""
    return [
        _of(channel.name, channel.title, [case for case in cases if case.intensities.get(channel.name)])
        for channel in task.channels
    ]


def _of(modality: str, title: str, cases: Sequence[Case]) -> IntensityFacts:
    if not cases:
        return IntensityFacts(title, 0, {}, 0, ())
    columns = {figure: [case.intensities[modality][figure] for case in cases] for figure in FIGURES}
    scores = robust_scores(columns["median"])
    outliers = sorted(
        (
            Outlier(case, middle, score)
            for case, middle, score in zip(cases, columns["median"], scores, strict=True)
            if abs(score) > UNUSUAL
        ),
        key=lambda outlier: (-abs(outlier.score), outlier.case.case),
    )
    return IntensityFacts(
        name=title,
        cases=len(cases),
        spans={figure: (min(values), median(values), max(values)) for figure, values in columns.items()},
        unusual=len(outliers),
        outliers=tuple(outliers[:NAMED]),
    )


def robust_scores(values: Sequence[float]) -> list[float]:
    """Distance of each value from the median in median absolute deviations, scaled to be a z of normal values.

    All 0 where more than half of the values are equal, since there is nothing to measure by.
    """
    middle = median(values)
    spread = _NORMAL * median(abs(value - middle) for value in values)
    return [(value - middle) / spread if spread else 0.0 for value in values]
