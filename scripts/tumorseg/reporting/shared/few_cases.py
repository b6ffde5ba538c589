"""Show a point for each case instead of an interval if there are few cases."""

from collections.abc import Sequence
from html import escape

from tumorseg.formatting import format_decimal
from tumorseg.metrics.metric_record import Metric

_WIDTH, _HEIGHT, _MARGIN = 96, 14, 5


def axis_limits(metric: Metric, values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis for scores: 0 to 1, 0 to the largest score, or symmetric around 0.

    Args:
        metric: the score.
        values: all scores that share the axis, in the unit of tables.
    """
    largest = max((abs(value) for value in values), default=0.0) or 1.0
    if metric.better == "nearer_zero":
        return -largest, largest
    return (0.0, 1.0) if (metric.worst, metric.best) == (0, 1) else (0.0, largest)


def case_points(values: Sequence[float], metric: Metric, limits: tuple[float, float]) -> str:
    """Return the scores of cases as points on a line, a small SVG element.

    Args:
        values: scores in the unit of tables.
        metric: the score.
        limits: the ends of the line, in the unit of tables.
    """
    low, high = limits
    text = ", ".join(format_decimal(value / metric.divisor, metric.decimals) for value in sorted(values))
    parts = [
        f'<svg class="points" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'aria-label="Each case: {escape(text)}"><title>{escape(text)}</title>'
        f'<path d="M{_MARGIN} {_HEIGHT / 2:g}H{_WIDTH - _MARGIN}"/>'
    ]
    for value in sorted(values):
        x = _MARGIN + (value - low) / (high - low) * (_WIDTH - 2 * _MARGIN)
        parts.append(f'<circle cx="{x:.1f}" cy="{_HEIGHT / 2:g}" r="3"/>')
    return "".join([*parts, "</svg>"])
