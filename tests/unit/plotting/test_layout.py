from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tumorseg.plotting.layout import Row, draw_note, lay_out_rows, wrap_text
from tumorseg.plotting.panels import draw_orientation, format_length, scale_bar_length
from tumorseg.plotting.score_table import table_header
from tumorseg.plotting.style import figure_style

TABLE = (table_header(), ("1: necrotic / non-enhancing core", "(0.000)", "(374.0)", "(0.000)", "absent", "1234.5"))
ROWS = [Row((100, 140), 120, heading=("case",), table=TABLE, titles=("left", "right")), Row((100, 50, 80), 60)]


def inches(figure, axes):
    width, height = figure.get_size_inches()
    box = axes.get_position()
    return box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height


def test_panels_are_in_true_proportion():
    figure, panels = lay_out_rows(ROWS, foot_lines=1)
    for row, line in zip(ROWS, panels, strict=True):
        for width, axes in zip(row.widths_mm, line, strict=True):
            left, bottom, right, top = inches(figure, axes)
            assert (right - left) / (top - bottom) == pytest.approx(width / row.height_mm)
            assert abs(axes.get_xlim()[1] - axes.get_xlim()[0]) == width


def test_rows_are_below_each_other_on_the_page():
    figure, panels = lay_out_rows(ROWS, foot_lines=1)
    boxes = [[inches(figure, axes) for axes in line] for line in panels]
    assert boxes[0][0][3] < figure.get_figheight() - 0.4  # room for heading and titles
    assert boxes[0][0][1] > boxes[1][0][3]
    assert boxes[1][0][1] > 0.3  # room for the legend
    assert all(line[-1][2] < figure.get_figwidth() for line in boxes)


def extents(figure, artists):
    """Return the boxes of texts on the page."""
    with figure_style():
        renderer = figure._get_renderer()
        return [artist.get_window_extent(renderer) for artist in artists]


def test_no_text_overlaps_another_one_or_a_panel_or_is_clipped():
    with figure_style():
        figure, panels = lay_out_rows(ROWS, foot_lines=1)
        draw_note(figure, "a note", line=0)
    texts = [text for text in figure.texts if text.get_text()]
    boxes = extents(figure, [*texts, panels[0][0].title, panels[0][1].title])
    assert len(boxes) == 1 + 5 + 6 + 1 + 2  # heading, table header, cells, note, titles
    boxes += [axes.get_window_extent() for row in panels for axes in row]
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert all(figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1 for box in boxes)


def test_the_scale_bars_of_a_row_have_one_round_length():
    _, panels = lay_out_rows(ROWS, foot_lines=0)
    lengths = [[float(np.ptp(axes.lines[0].get_xdata())) for axes in row] for row in panels]
    assert lengths == [[20, 20], [20, 20, 20]]
    assert [axes.texts[0].get_text() for axes in panels[0]] == ["2 cm", "2 cm"]


def test_scale_bars_and_orientation_letters_do_not_overlap():
    with figure_style():
        figure, panels = lay_out_rows([Row((140, 170) * 4, 140)], foot_lines=0)
        for axes in panels[0]:
            draw_orientation(axes, "axial")
    for axes in panels[0]:
        boxes = extents(figure, axes.texts)
        assert len(boxes) == 3
        assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
        panel = axes.get_window_extent()
        assert all(panel.x0 <= box.x0 and box.x1 <= panel.x1 and panel.y0 <= box.y0 for box in boxes)


@pytest.mark.parametrize(
    ("limit", "length", "label"),
    [(56, 50, "5 cm"), (49, 20, "2 cm"), (10, 10, "1 cm"), (9, 5, "5 mm"), (260, 200, "20 cm"), (0.3, 0.2, "0.2 mm")],
)
def test_scale_bars_have_round_lengths(limit, length, label):
    assert scale_bar_length(limit) == pytest.approx(length)
    assert format_length(scale_bar_length(limit)) == label


LONG = "voxels are 1 x 1 x 5 mm; the model was trained on voxels of 2.5 mm, " * 8


@pytest.mark.parametrize("text", [LONG, "0123456789" * 60, "one/path/without/a/blank_" * 30])
@pytest.mark.parametrize("banner", ["", "DEMONSTRATION MODEL: not usable on patients"])
def test_lines_of_any_length_are_within_the_figure_and_do_not_overlap(text, banner):
    row = Row(
        (100.0,), 50.0, heading=("A case", "a description"), titles=("axial",), banner=banner, notes=wrap_text(text)
    )
    with figure_style():
        figure, ((panel,),) = lay_out_rows([row], foot_lines=0)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        boxes = [note.get_window_extent(canvas.get_renderer()) for note in figure.texts]
        boxes.append(panel.get_tightbbox(canvas.get_renderer()))
    assert "".join("".join(wrap_text(text)).split()) == "".join(text.split())
    assert len(figure.texts) > 4
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height for box in boxes)
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])
