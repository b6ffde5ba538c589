"""The chart of a course: what it shows, and that it is readable in grey."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from tests.support.builders import TASK
from tests.support.courses import DATES, VERDICTS, course, sphere
from tumorseg.clinical.course import find_courses
from tumorseg.plotting.course_chart import course_alt_text, course_chart


def texts(figure: Figure) -> str:
    """Return all texts of a figure."""
    found = [text.get_text() for axes in figure.axes for text in (axes.title, axes.xaxis.label, axes.yaxis.label)]
    legends = [text.get_text() for axes in figure.axes for text in axes.get_legend().get_texts()]
    return "\n".join([*found, *legends, figure.get_suptitle(), figure.get_supxlabel()])


def lines(axes, style):
    return [line for line in axes.lines if line.get_linestyle() == style]


def test_each_measure_has_a_panel_with_its_values_at_its_days():
    found = course([24, 16, 20], DATES)
    figure = course_chart(found, TASK)
    assert len(figure.axes) == 3
    measured = figure.axes[1].lines[0]
    assert list(measured.get_xdata()) == [0, 31, 60]
    assert list(measured.get_ydata()) == [point.measures.volumes_ml["ET"] for point in found.points]


def test_lines_are_at_their_percentages_between_the_time_points_that_they_belong_to():
    found = course([24, 16, 20], DATES)
    volumes = [point.measures.volumes_ml["ET"] for point in found.points]
    drawn = lines(course_chart(found, TASK).axes[1], "--")
    assert [list(line.get_xdata()) for line in drawn] == [[0, 31], [31, 60]]
    assert [line.get_ydata()[0] for line in drawn] == pytest.approx([1.4 * volumes[0], 1.4 * volumes[1]])


def test_a_missing_mask_interrupts_the_line():
    measured = course_chart(course([24, None, 20]), TASK).axes[0].lines[0].get_ydata()
    assert np.isnan(measured).tolist() == [False, True, False]


def test_time_points_without_an_order_are_not_connected_and_have_no_lines():
    cases = {"P1_post-op": sphere(10), "P1_pre-op": sphere(20)}
    (found,) = find_courses(cases, dict.fromkeys(cases, "P1"))
    axes = course_chart(found, TASK).axes[0]
    assert [line.get_linestyle() for line in axes.lines] == ["None"]


def test_a_baseline_of_zero_is_said():
    figure = course_chart(course([0, 16]), TASK)
    assert "was 0 before" in figure.get_supxlabel()
    assert lines(figure.axes[0], "--") == []


def test_notices_and_research_use_stand_below():
    text = course_chart(course([24, 20]), TASK).get_supxlabel()
    assert text.startswith("For research use only.")
    assert "No dates" in text


def test_no_text_is_a_verdict():
    found = course([24, 16, 20], DATES)
    assert VERDICTS.findall(f"{texts(course_chart(found, TASK))} {course_alt_text(found, TASK)}") == []


def test_the_alternative_text_has_the_values_and_changes():
    text = course_alt_text(course([24, None, 20], DATES), TASK)
    assert "on days 0, 31, 60" in text
    assert "no mask" in text
    assert "% from baseline" in text


def test_lines_differ_in_grey_and_in_style():
    axes = course_chart(course([24, 16, 20], DATES), TASK).axes[0]
    styles = {
        line.get_linestyle(): np.dot(to_rgb(line.get_color()), (0.2126, 0.7152, 0.0722)) for line in axes.lines[:3]
    }
    assert {"-", "--"} <= {*styles}
    assert max(styles.values()) < 0.5  # dark enough on white
