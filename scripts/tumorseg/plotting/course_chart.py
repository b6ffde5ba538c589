"""Draw the course of a patient: measures at each time point, with the lines of RANO 2.0."""

from collections.abc import Sequence
from math import nan
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tumorseg.clinical.course import Course, Line, Reference, Tracked, tracked_measures
from tumorseg.formatting import format_count, format_decimal
from tumorseg.plotting.layout import wrap_text
from tumorseg.plotting.style import FIGURE_WIDTH_INCHES, TEXT_COLOUR, figure_style
from tumorseg.task import Task

_PANEL_INCHES: Final = 2.5
_HEAD_INCHES: Final = 0.9
_NOTE_INCHES: Final = 0.2
_VALUE: Final[dict[str, Any]] = {"color": "#0072b2", "linewidth": 1.8, "marker": "o", "markersize": 6, "zorder": 3}
_LINE_STYLES: Final[dict[Reference, dict[str, Any]]] = {
    "nadir": {"color": "#d55e00", "linestyle": "--", "linewidth": 1.3},
    "baseline": {"color": "#555555", "linestyle": ":", "linewidth": 1.6},
}
_RING: Final[dict[str, Any]] = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 12,
    "markerfacecolor": "none",
    "markeredgecolor": TEXT_COLOUR,
    "markeredgewidth": 1.3,
    "zorder": 4,
}
_NOT_A_VERDICT: Final = (
    "For research use only. The lines are percentages of RANO 2.0, relative to the first time point (baseline) and to "
    "the smallest earlier value (nadir). They are no judgement about the patient."
)


def course_chart(course: Course, task: Task) -> Figure:
    """Return a figure with a panel for each measure that is tracked, above each other.

    The horizontal axis shows days since the first time point, or the number of the time point without dates.

    Args:
        course: the course of a patient.
        task: task of the masks.
    """
    tracked = tracked_measures(task)
    notes = [line for note in (_NOT_A_VERDICT, *_sentences(course, tracked)) for line in wrap_text(note)]
    height = _PANEL_INCHES * len(tracked) + _HEAD_INCHES + _NOTE_INCHES * len(notes)
    with figure_style():
        figure = Figure(figsize=(FIGURE_WIDTH_INCHES, height), layout="constrained")
        figure.suptitle(f"{course.patient}: {format_count(len(course.points), 'time point')}", fontweight="bold")
        panels = figure.subplots(len(tracked), 1, squeeze=False, sharex=True)[:, 0]
        for axes, measure in zip(panels, tracked, strict=True):
            _draw_measure(axes, course, measure)
        panels[-1].set_xlabel(_axis_title(course))
        _label_time_points(panels[-1], course)
        figure.supxlabel("\n".join(notes), fontsize=8, x=0.01, ha="left")
    return figure


def course_alt_text(course: Course, task: Task) -> str:
    """Return the alternative text of the figure: each measure at each time point.

    Args:
        course: the course of a patient.
        task: task of the masks.
    """
    parts = [
        f"{measure.title} in {measure.unit}: {', '.join(_value_texts(course, measure))}."
        for measure in tracked_measures(task)
    ]
    when = "" if course.points[0].days is None else f" on days {', '.join(str(point.days) for point in course.points)}"
    return " ".join([f"Course of {course.patient} over {len(course.points)} time points{when}.", *parts])


def _draw_measure(axes: Axes, course: Course, measure: Tracked) -> None:
    positions = _positions(course)
    values = [nan if value is None else value for value in course.values(measure)]
    # Without a known order, a line between the points would show one.
    axes.plot(positions, values, **_VALUE, linestyle="-" if course.ordered else "none")
    handles = [Line2D([], [], **_VALUE, label="measured")]
    for line in measure.lines:
        handles += _draw_line(axes, course, measure, line)
    reached = [bool(course.lines_reached(measure, index)) for index in range(len(positions))]
    if any(reached):
        marked = [value if mark else nan for value, mark in zip(values, reached, strict=True)]
        axes.plot(positions, marked, **_RING)
        handles.append(Line2D([], [], **_RING, label="a line is reached"))
    axes.set(title=measure.title, ylabel=measure.unit)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.06)
    axes.grid(visible=True, axis="y")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)


def _draw_line(axes: Axes, course: Course, measure: Tracked, line: Line) -> list[Line2D]:
    """Draw the values at which a line is reached, in steps from one time point to the next.

    Returns:
        The legend entry; none if no time point has a percentage.
    """
    style: dict[str, Any] = _LINE_STYLES[line.reference]
    positions, references = _positions(course), course.references(measure, line.reference)
    steps = [index for index, before in enumerate(references) if before]
    for index in steps:
        value = (references[index] or 0) * (1 + line.percent / 100)
        axes.plot(positions[index - 1 : index + 1], [value, value], **style)
    return [Line2D([], [], **style, label=line.text)] if steps else []


def _positions(course: Course) -> list[int]:
    return [index if point.days is None else point.days for index, point in enumerate(course.points, 1)]


def _axis_title(course: Course) -> str:
    if course.points[0].days is not None:
        return "days since the first time point"
    return "time point" if course.ordered else "time points in the order of their names, which may be wrong"


def _label_time_points(axes: Axes, course: Course) -> None:
    if course.points[0].days is None:
        axes.set_xticks(_positions(course), [point.case for point in course.points], fontsize=8)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _sentences(course: Course, tracked: Sequence[Tracked]) -> list[str]:
    zero = [
        f"{measure.title} was 0 before, and has no percentage then"
        for measure in tracked
        if measure.lines and 0 in course.references(measure, "nadir")
    ]
    return [f"{notice[:1].upper()}{notice[1:]}." for notice in (*course.notices, *zero)]


def _value_texts(course: Course, measure: Tracked) -> list[str]:
    """Return each value with its changes."""
    texts = []
    for index, value in enumerate(course.values(measure)):
        changes = [
            f"{'+' if change > 0 else ''}{format_decimal(change)} % from {reference}"
            for reference in ("baseline", "nadir")
            if (change := course.changes(measure, reference)[index]) is not None
        ]
        number = "no mask" if value is None else format_decimal(value, 1)
        texts.append(f"{number} ({', '.join(changes)})" if changes else number)
    return texts
