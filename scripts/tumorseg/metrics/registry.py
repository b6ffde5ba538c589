"""All scores and counts of a case, in the order of the columns of tables.

To add a score, define a `Metric` in a module of this package and add it to the list below. Tables, summary, comparison,
terminal, report, figures and model card derive from its record.
"""

from collections.abc import Callable, Sequence
from typing import Final

from tumorseg.formatting import format_list
from tumorseg.metrics import border_hausdorff, lesions, overlap_metrics, surface
from tumorseg.metrics.metric_record import Count, Metric, Place

RANKED_BY: Final = "dice"
"""Cases are ranked by the mean of this score over the labels."""

_METRICS: Final[dict[str, Metric]] = {}

COUNTS: Final[tuple[Count, ...]] = (*lesions.LESION_COUNTS, *overlap_metrics.VOXEL_COUNTS)


def register(new: Metric) -> None:
    """Add a score as the last one.

    Raises:
        ValueError: another score or column has this name.

    Example:
        >>> register(metric("dice"))
        Traceback (most recent call last):
        ...
        ValueError: metric dice: the tables of scores already have a column with this name
    """
    if new.name in {*_METRICS, *(count.name for count in COUNTS), "case", "fold", "region"}:
        raise ValueError(f"metric {new.name}: the tables of scores already have a column with this name")
    _METRICS[new.name] = new


def metrics(place: Place | None = None) -> tuple[Metric, ...]:
    """Return all scores, or those shown in one place.

    Example:
        >>> [metric.name for metric in metrics("macro")]
        ['dice', 'iou', 'f1']
    """
    return tuple(metric for metric in _METRICS.values() if place is None or place in metric.places)


def metric(name: str) -> Metric:
    """Return a score by name.

    Raises:
        ValueError: there is no such score.

    Example:
        >>> metric("hd95").unit
        'mm'
    """
    if name not in _METRICS:
        raise ValueError(f"there is no metric {name}; metrics are {', '.join(_METRICS)}")
    return _METRICS[name]


def describe_directions(shown: Sequence[Metric], name: Callable[[Metric], str]) -> str:
    """Return which values are better, such as `lower for hd95 and missed_mm3, higher for all others`.

    Args:
        shown: scores to describe.
        name: function that returns the name to print of a score.
    """
    direction_texts = {"lower": "lower", "nearer_zero": "nearer to 0"}
    parts = [
        f"{text} for {format_list(names)}"
        for better, text in direction_texts.items()
        if (names := [name(metric) for metric in shown if metric.better == better])
    ]
    return ", ".join([*parts, "higher for all others" if parts else "higher"])


def definitions() -> dict[str, str]:
    """Return the definition of each score, by name."""
    return {metric.name: metric.definition for metric in metrics()}


def columns() -> tuple[str, ...]:
    """Return the number columns of a table of scores: the scores, then the counts."""
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
