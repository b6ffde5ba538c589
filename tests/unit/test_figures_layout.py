import pytest

from tumorseg.figures.layout import Row, lay_out

ROWS = [Row((100, 140), 120, heading=("case",), titles=("left", "right")), Row((100, 50, 80), 60)]


def inches(figure, axes):
    width, height = figure.get_size_inches()
    place = axes.get_position()
    return place.x0 * width, place.y0 * height, place.x1 * width, place.y1 * height


def test_panels_are_in_true_proportion():
    figure, panels = lay_out(ROWS, foot_lines=1)
    for row, line in zip(ROWS, panels, strict=True):
        for width, axes in zip(row.widths, line, strict=True):
            left, bottom, right, top = inches(figure, axes)
            assert (right - left) / (top - bottom) == pytest.approx(width / row.height)
            assert abs(axes.get_xlim()[1] - axes.get_xlim()[0]) == width


def test_rows_lie_on_the_page_one_below_the_other():
    figure, panels = lay_out(ROWS, foot_lines=1)
    places = [[inches(figure, axes) for axes in line] for line in panels]
    assert places[0][0][3] < figure.get_figheight() - 0.4  # room for heading and titles
    assert places[0][0][1] > places[1][0][3]
    assert places[1][0][1] > 0.3  # room for the legend
    assert all(line[-1][2] < figure.get_figwidth() for line in places)


def test_text_overlaps_no_panel_and_is_not_clipped():
    figure, panels = lay_out(ROWS, foot_lines=0)
    renderer = figure.canvas.get_renderer() if hasattr(figure.canvas, "get_renderer") else figure._get_renderer()
    heading = figure.texts[0].get_window_extent(renderer)
    title = panels[0][0].title.get_window_extent(renderer)
    assert heading.y1 <= figure.bbox.y1
    assert heading.y0 >= title.y1
    assert title.y0 >= panels[0][0].get_window_extent(renderer).y1
