"""Draw the distances and the lesion-wise scores of the cases by region."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from tumorseg.formatting import format_count
from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.registry import metric
from tumorseg.metrics.surface import WORST_HD95_MM
from tumorseg.plotting.axes import FEW_CASES, wrap_name
from tumorseg.plotting.distributions import LINE_COLOUR, POINT_STYLE, draw_box, scaled_offsets, swarm_offsets
from tumorseg.plotting.style import FIGURE_WIDTH_INCHES, TEXT_COLOUR, figure_style
from tumorseg.task import Task

_HEIGHT_INCHES: Final = 4.6
_SHOWN: Final = ("hd95", "lesionwise_hd95", "lesionwise_dice")
_TICKS_MM: Final = (0, 1, 2, 5, 10, 20, 50, 100, 200, 374)
_LINEAR_UP_TO_MM: Final = 2.0
_MANY_CASES: Final = 100
_SMALL_POINT: Final[dict[str, Any]] = {**POINT_STYLE, "markersize": 1.8, "markeredgewidth": 0, "alpha": 0.6}
_TICK_CHARACTERS: Final = 12


def distance_distributions(scores: pd.DataFrame, task: Task) -> Figure:
    """Return a figure with HD95 and the lesion-wise scores of each region: a point for each case, and boxes.

    A score by convention, because the region is absent from one or both masks, is not drawn: below the axis is the
    number of its cases in words. With fewer than `FEW_CASES` others there is no box.

    Args:
        scores: the rows of results/evaluation/cases.csv.
        task: defines the regions.
    """
    with figure_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, _HEIGHT_INCHES), layout="constrained")
        for axes, name in zip(figure.subplots(1, len(_SHOWN)), _SHOWN, strict=True):
            _draw_score(axes, scores, metric(name), task)
        if scores["case"].nunique() < FEW_CASES:
            cases = format_count(scores["case"].nunique(), "case")
            figure.supxlabel(f"{cases}: each is a point; boxes are drawn from {FEW_CASES} cases on", fontsize=9)
    return figure


def left_out_texts(rows: pd.DataFrame) -> Iterator[str]:
    """Yield in words how many cases have a region in one or none of the masks.

    Args:
        rows: the rows of a region.
    """
    in_reference, predicted = rows["reference_voxels"] > 0, rows["predicted_voxels"] > 0
    kinds = {
        "missed": in_reference & ~predicted,
        "false": ~in_reference & predicted,
        "absent\nfrom both": ~in_reference & ~predicted,
    }
    yield from (f"{int(cases.sum()):,} {name}" for name, cases in kinds.items() if cases.any())


def _draw_score(axes: Axes, scores: pd.DataFrame, shown: Metric, task: Task) -> None:
    in_mm = shown.unit == "mm"
    ticks = []
    for position, region in enumerate(task.regions):
        rows = scores[scores["region"] == region.name]
        both = (rows["reference_voxels"] > 0) & (rows["predicted_voxels"] > 0)
        _draw_region(axes, position, rows.loc[both, shown.name].to_numpy(float), in_mm=in_mm)
        ticks.append("\n".join([region.name, wrap_name(region.title, _TICK_CHARACTERS), *left_out_texts(rows)]))
    axes.set_title(shown.heading)
    axes.set_xticks(range(len(ticks)), ticks, fontsize=8)
    axes.set_xlim(-0.6, len(ticks) - 0.4)
    axes.grid(visible=True, axis="y")
    if in_mm:
        axes.set_yscale("symlog", linthresh=_LINEAR_UP_TO_MM)
        axes.yaxis.set_major_locator(FixedLocator(_TICKS_MM))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_ylim(-0.15, 1.25 * WORST_HD95_MM)
    else:
        axes.set(ylim=(-0.04, 1.04), yticks=[0, 0.2, 0.4, 0.6, 0.8, 1])


def _draw_region(axes: Axes, position: int, values: NDArray[np.float64], *, in_mm: bool) -> None:
    many = len(values) > _MANY_CASES
    if len(values) >= FEW_CASES:
        draw_box(axes, position, values, TEXT_COLOUR if many else LINE_COLOUR, many=many)
    # On the scale of distances, equal steps of the logarithm are about equally far apart.
    heights = np.log1p(values) / np.log1p(WORST_HD95_MM) if in_mm else values
    x = position + scaled_offsets(swarm_offsets(np.clip(heights, 0, 1)))
    axes.plot(x, values, zorder=3, **(_SMALL_POINT if many else POINT_STYLE))
