"""Find cases whose intensities, brain size or tumour volumes are far from those of the other cases."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from statistics import median
from typing import Final

from tumorseg.cohort.case_summary import CaseSummary, tumour_volume_titles
from tumorseg.task import Task

OUTLIER_Z_SCORE: Final = 3.5
"""Absolute robust z score above which a value is unusual.

References:
    Iglewicz and Hoaglin, How to Detect and Handle Outliers, ASQC Quality Press, 1993.
"""
MIN_CASES: Final = 10
"""Fewest values among which unusual ones are searched; the spread of fewer is too uncertain."""
_MAD_TO_SD: Final = 1.4826  # standard deviation of a normal distribution in median absolute deviations
_INTENSITIES: Final = {"p01": "1st percentile", "median": "median", "p99": "99th percentile"}


@dataclass(frozen=True)
class UnusualValue:
    """An unusual value of a case.

    Attributes:
        measure: name of the measure.
        value: the value.
        middle: median over all cases.
        unit: `ml`, or empty for intensities in the units of the files.
        score: robust z score of the value, of its logarithm for tumour volumes.
    """

    measure: str
    value: float
    middle: float
    unit: str
    score: float


@dataclass(frozen=True)
class Outlier:
    """A case with its unusual values, the most extreme first."""

    case: CaseSummary
    values: tuple[UnusualValue, ...]

    @property
    def score(self) -> float:
        """The largest absolute z score."""
        return abs(self.values[0].score)


@dataclass(frozen=True)
class _Measure:
    """A measure of a case; `value` returns None where it is unknown."""

    name: str
    value: Callable[[CaseSummary], float | None]
    unit: str = ""
    logarithmic: bool = False


def find_outliers(cases: Sequence[CaseSummary], task: Task) -> list[Outlier]:
    """Return the cases with an unusual value of any measure, the most extreme first.

    The measures are percentiles 1, 50 and 99 of each image, the brain's volume, and the volume of each label and of the
    whole tumour. Volumes of tumours are compared by their logarithms, because a few tumours are much larger than most.

    Args:
        cases: the cases to compare.
        task: task of the cohort.
    """
    found: dict[str, list[UnusualValue]] = {}
    for measure in _measures(task):
        for case, unusual in _unusual_values(measure, cases):
            found.setdefault(case, []).append(unusual)
    outliers = [
        Outlier(case, tuple(sorted(found[case.case], key=lambda unusual: -abs(unusual.score))))
        for case in cases
        if case.case in found
    ]
    return sorted(outliers, key=lambda outlier: -outlier.score)


def robust_z_scores(values: Sequence[float]) -> list[float]:
    """Return the robust z score of each value: (value - median) / (1.4826 * median absolute deviation).

    The factor makes it equal to the z score for normally distributed values.

    Args:
        values: at least one value.

    Returns:
        One score per value; all 0 if the median absolute deviation is 0.
    """
    middle = median(values)
    spread = _MAD_TO_SD * median(abs(value - middle) for value in values)
    return [(value - middle) / spread if spread else 0.0 for value in values]


def _measures(task: Task) -> Iterator[_Measure]:
    for channel in task.channels:
        for statistic, title in _INTENSITIES.items():
            yield _Measure(f"{channel.title}: {title}", _intensity(channel.name, statistic))
    yield _Measure("Brain volume", lambda case: case.brain_ml, "ml")
    for key, title in tumour_volume_titles(task).items():
        # A structure that is absent has no logarithm; the page counts such cases elsewhere.
        yield _Measure(title.replace(": ", ", "), _volume(key), "ml", logarithmic=True)


def _intensity(channel: str, statistic: str) -> Callable[[CaseSummary], float | None]:
    return lambda case: case.intensities.get(channel, {}).get(statistic)


def _volume(key: str) -> Callable[[CaseSummary], float | None]:
    return lambda case: case.volumes_ml.get(key) or None


def _unusual_values(measure: _Measure, cases: Sequence[CaseSummary]) -> list[tuple[str, UnusualValue]]:
    """Return the cases with an unusual value of a measure."""
    known = {case.case: value for case in cases if (value := measure.value(case)) is not None}
    if len(known) < MIN_CASES:
        return []
    middle = median(known.values())
    scores = robust_z_scores([log(value) if measure.logarithmic else value for value in known.values()])
    return [
        (case, UnusualValue(measure.name, value, middle, measure.unit, score))
        for (case, value), score in zip(known.items(), scores, strict=True)
        if abs(score) > OUTLIER_Z_SCORE
    ]
