"""Draw the scores of all cases as SVG: a line for each case, and a point for each folder."""

from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.metrics.metric_record import Metric

_WIDTH: Final = 320
_HEIGHT: Final = 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 24
_MAX_POINTS: Final = 1000
"""With more values than this, a plot has lines only; then they have no names either."""
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


class _Axis:
    """The vertical axis of a plot, in the unit of pages. Values at the worst score have a line of their own on top."""

    def __init__(self, values: NDArray[np.float64], metric: Metric) -> None:
        self._metric = metric
        self._worst = metric.worst / metric.divisor if metric.worst is not None and metric.better == "lower" else None
        finite = values if self._worst is None else values[values < self._worst]
        self.has_worst = len(finite) < len(values)
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        if metric.better == "lower":
            low = min(low, metric.best / metric.divisor)
        step = _step((high - low) or max(abs(high), 1.0))
        self.ticks = np.arange(np.floor(low / step), np.ceil(high / step) + 1) * step
        if self.has_worst and self._worst is not None:
            self.ticks = self.ticks[self.ticks < self._worst]
        if len(self.ticks) < 2:
            self.ticks = np.append(self.ticks, self.ticks[-1] + step)
        self._high = max(high, float(self.ticks[-1]))
        self._top = _TOP + 18 if self.has_worst else _TOP
        self._decimals = next(digits for digits in range(9) if round(step * 10**digits, 6).is_integer())

    def position(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distances of values from the top of the plot."""
        low, high = self.ticks[0], self._high
        bottom = _HEIGHT - _BOTTOM
        places = bottom - (values - low) / (high - low) * (bottom - self._top)
        return np.where(values >= self._worst, _TOP, places) if self.has_worst and self._worst is not None else places

    def labels(self) -> list[tuple[float, str]]:
        """Return the position and text of each tick."""
        texts = [f"{tick:.{self._decimals}f}".replace("-", "−") for tick in self.ticks]
        labels = list(zip(self.position(self.ticks).tolist(), texts, strict=True))
        return [*labels, (float(_TOP), f"{self._worst:g}")] if self.has_worst else labels


def case_plot(
    values: NDArray[np.float64], cases: Sequence[str], folders: Sequence[str], metric: Metric, *, name: str
) -> str:
    """Return a plot of a score as an SVG element: a line for each case, and the mean as a thick line.

    Args:
        values: scores in the unit of tables, float64 (cases, folders), at least one case.
        cases: names of the cases.
        folders: texts below the points of each folder.
        metric: the score.
        name: text for readers who do not see the plot.
    """
    shown = values / metric.divisor
    axis = _Axis(shown.ravel(), metric)
    places = np.round(axis.position(shown), 1)
    mean = np.round(axis.position(shown.mean(axis=0)), 1) if not axis.has_worst else None
    columns = _columns(len(folders))
    with_points = values.size <= _MAX_POINTS
    parts = [f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(name)}">']
    for place, text in axis.labels():
        parts.append(f'<path class="grid" d="M{_LEFT} {place:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 5}" y="{place + 3.5:.1f}" text-anchor="end">{text}</text>')
    for column, folder in zip(columns, folders, strict=True):
        parts.append(f'<text x="{column}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(folder)}</text>')
    parts.append(f'<g class="cases" stroke-opacity="{max(0.12, min(0.6, 12 / len(cases))):.2f}">')
    for case, row in zip(cases, places.tolist(), strict=True):
        title = f"<title>{escape(case)}</title>" if with_points else ""
        points = "".join(f'<circle cx="{x}" cy="{y:g}" r="2.2"/>' for x, y in zip(columns, row, strict=True))
        line = f'<path d="{_line(columns, row)}"/>' if len(columns) > 1 else ""
        parts.append(f"<g>{title}{line}{points if with_points or len(columns) == 1 else ''}</g>")
    parts.append("</g>")
    if mean is not None:
        parts.append(f'<path class="mean" d="{_mean_line(columns, mean.tolist())}"/>')
    return "".join([*parts, "</svg>"])


def interval_plot(low: float, middle: float, high: float, limit: float, *, significant: bool) -> str:
    """Return an interval of a difference as a small SVG element, on an axis from -limit to limit with a line at 0."""
    left, centre, right = (round(80 + 76 * value / limit, 1) if limit else 80 for value in (low, middle, high))
    kind = " significant" if significant else ""
    return (
        '<svg class="interval-plot" viewBox="0 0 160 16" width="160" height="16" aria-hidden="true">'
        f'<path class="grid" d="M80 0V16"/><path class="range{kind}" d="M{left} 8H{right}"/>'
        f'<circle class="range{kind}" cx="{centre}" cy="8" r="3"/></svg>'
    )


def _columns(count: int) -> list[float]:
    """Return the horizontal positions of the folders."""
    width = _WIDTH - _LEFT - _RIGHT
    return [round(_LEFT + width * (index + 0.5) / count, 1) for index in range(count)]


def _line(columns: Sequence[float], places: Sequence[float]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in zip(columns, places, strict=True))


def _mean_line(columns: Sequence[float], places: Sequence[float]) -> str:
    """Return the line of the means; a single folder has a short one."""
    if len(columns) > 1:
        return _line(columns, places)
    return f"M{columns[0] - 12:g} {places[0]:g}h24"


def _step(span: float) -> float:
    """Return a round distance between ticks, for about four of them."""
    power = 10.0 ** np.floor(np.log10(span / 4))
    return float(next(factor * power for factor in _STEPS if factor * power >= span / 4 * 0.999))
