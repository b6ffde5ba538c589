import base64
import io

import numpy as np
import pytest
from matplotlib.image import imsave
from PIL import Image

from tumorseg.errors import UserError
from tumorseg.reporting.report.embedded_images import embed_figure, group_by_section, read_strips
from tumorseg.task import load_task

TASK = load_task()


def pixels(url):
    with Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))) as image:
        return np.asarray(image.convert("RGB"))


def test_a_plot_is_embedded_without_loss(tmp_path):
    picture = np.zeros((30, 50, 3), np.uint8)
    picture[10:12] = (213, 94, 0)
    imsave(tmp_path / "overlays.png", picture)
    figure = embed_figure(tmp_path / "overlays.png", TASK)
    assert (figure.width_px, figure.height_px) == (50, 30)
    np.testing.assert_array_equal(pixels(figure.url), picture)


def test_a_large_picture_is_compressed_with_little_loss(tmp_path):
    grain = np.random.default_rng(0).normal(128, 20, (400, 600, 1)).clip(0, 255)
    picture = np.repeat(grain, 3, axis=2).astype(np.uint8)
    imsave(tmp_path / "overlays.png", picture)
    figure = embed_figure(tmp_path / "overlays.png", TASK)
    assert len(figure.url) < (tmp_path / "overlays.png").stat().st_size
    assert np.abs(pixels(figure.url).astype(float) - picture).mean() < 5


def test_a_figure_without_caption_is_reported(tmp_path):
    imsave(tmp_path / "unknown.png", np.zeros((3, 5, 3)))
    with pytest.raises(UserError, match="no caption"):
        embed_figure(tmp_path / "unknown.png", TASK)


def test_figures_are_ordered_by_section(tmp_path):
    for name in ("predictions", "learning_curves", "modalities"):
        imsave(tmp_path / f"{name}.png", np.zeros((3, 5, 3)))
    sections = group_by_section([embed_figure(path, TASK) for path in sorted(tmp_path.iterdir())])
    assert {section: [figure.name for figure in figures] for section, figures in sections.items()} == {
        "scores": [],
        "cases": ["modalities", "predictions"],
        "cohort": [],
        "training": ["learning_curves"],
    }


def test_strips_are_named_after_their_cases(tmp_path):
    Image.new("RGB", (320, 64)).save(tmp_path / "a.b.webp")
    (strip,) = read_strips(tmp_path).values()
    assert list(read_strips(tmp_path)) == ["a.b"]
    assert (strip.width_px, strip.height_px) == (320, 64)
    assert pixels(strip.url).shape == (64, 320, 3)
