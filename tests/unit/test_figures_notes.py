"""Warnings above a picture: in full, within the figure, and clear of what stands below them."""

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tumorseg.figures.layout import Row, lay_out, wrapped
from tumorseg.figures.style import context

LONG = "voxels are 1 x 1 x 5 mm; the model was trained on voxels of 2.5 mm, " * 8


@pytest.mark.parametrize("text", [LONG, "0123456789" * 60, "one/path/without/a/blank_" * 30])
@pytest.mark.parametrize("banner", ["", "DEMONSTRATION MODEL: of no use on patients"])
def test_lines_of_any_length_lie_within_the_figure_and_over_nothing(text, banner):
    row = Row(
        (100.0,), 50.0, heading=("A case", "what it shows"), titles=("axial",), banner=banner, notes=wrapped(text)
    )
    with context():
        figure, ((panel,),) = lay_out([row], foot_lines=0)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        boxes = [note.get_window_extent(canvas.get_renderer()) for note in figure.texts]
        boxes.append(panel.get_tightbbox(canvas.get_renderer()))
    assert "".join("".join(wrapped(text)).split()) == "".join(text.split())
    assert len(figure.texts) > 4
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height for box in boxes)
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])
