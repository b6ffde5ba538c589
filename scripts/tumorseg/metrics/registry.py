"""Every score and count of a case, in the order of the columns of tables.

A new score is a `Metric` in a module of this package and its name here. Tables, summary, comparison, terminal, report,
figures and model card derive from its record.
"""

from collections.abc import Callable, Sequence
from typing import Final

from tumorseg.formatting import format_list
from tumorseg.metrics import border_hausdorff, lesions, overlap_metrics, surface
from tumorseg.metrics.record import Count, Metric, Place

RANKED_BY: Final = "dice"
"""Cases are ranked by the mean of this score over the labels."""

_METRICS: Final[dict[str, Metric]] = {}

COUNTS: Final[tuple[Count, ...]] = (*lesions.LESION_COUNTS, *overlap_metrics.VOXEL_COUNTS)


def register(new: Metric) -> None:
    """Add a score after the others.

    Raises:
        ValueError: another column has its name.
    """
    if new.name in {*_METRICS, *(count.name for count in COUNTS), "case", "fold", "region"}:
        raise ValueError(f"metric {new.name}: the tables of scores have a column of this name")
    _METRICS[new.name] = new


def metrics(place: Place | None = None) -> tuple[Metric, ...]:
    """Return all scores, or those that are shown in a place."""
    return tuple(metric for metric in _METRICS.values() if place is None or place in metric.places)


def metric(name: str) -> Metric:
    """Return a score by its name.

    Raises:
        ValueError: no score has this name.

    Example:
        >>> metric("hd95").unit
        'mm'
    """
    if name not in _METRICS:
        raise ValueError(f"there is no metric {name}; metrics are {', '.join(_METRICS)}")
    return _METRICS[name]


def describe_directions(shown: Sequence[Metric], name: Callable[[Metric], str]) -> str:
    """Return which values are better: `lower for hd95 and missed_mm3, higher for all others`. name: of a score."""
    words = {"lower": "lower", "nearer_zero": "nearer to 0"}
    by_direction = {better: [name(metric) for metric in shown if metric.better == better] for better in words}
    parts = [f"{words[better]} for {format_list(names)}" for better, names in by_direction.items() if names]
    return ", ".join([*parts, "higher for all others" if parts else "higher"])


def definitions() -> dict[str, str]:
    """Return the definition of each score, by name."""
    return {metric.name: metric.definition for metric in metrics()}


def columns() -> tuple[str, ...]:
    """Return the columns of numbers of a table of scores: the scores, then the counts."""
    return (*_METRICS, *(count.name for count in COUNTS))


for _metric in (
    overlap_metrics.DICE,
    overlap_metrics.IOU,
    overlap_metrics.F1,
    overlap_metrics.PRECISION,
    overlap_metrics.SENSITIVITY,
    overlap_metrics.SPECIFICITY,
    surface.SURFACE_DICE,
    surface.HD95,
    border_hausdorff.HD95_BORDER,
    lesions.LESIONWISE_DICE,
    lesions.LESIONWISE_HD95,
    overlap_metrics.VOLUME_ERROR,
):
    register(_metric)
