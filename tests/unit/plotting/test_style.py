import resource

import matplotlib as mpl
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from tumorseg.errors import UserError
from tumorseg.plotting.agreement_map import OUTCOMES
from tumorseg.plotting.style import (
    FigureSettings,
    blend_over_tissue,
    figure_style,
    outcome_handles,
    region_colours,
    save_figure,
)
from tumorseg.task import load_task

TASK = load_task()

SETTINGS = {
    "cases": 3,
    "dpi": 50,
    "opacity": 0.5,
    "colours": {"label_1": "#d55e00", "label_2": "#56b4e9", "label_4": "k"},
}


def small_figure() -> Figure:
    with figure_style():
        figure = Figure(figsize=(2, 2))
        figure.add_subplot(title="a title").plot([0, 1])
    return figure


def test_equal_figures_give_equal_bytes_without_time_or_software(tmp_path):
    for name in ("one.png", "two.png"):
        save_figure(small_figure(), [tmp_path / name], 50)
    content = (tmp_path / "one.png").read_bytes()
    assert content == (tmp_path / "two.png").read_bytes()
    assert not any(key in content for key in (b"Software", b"tIME", b"tEXt"))


@pytest.mark.parametrize("suffix", ["png", "pdf"])
def test_a_full_disk_is_reported_with_the_file(tmp_path, suffix):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
    try:
        with pytest.raises(UserError, match=f"one.{suffix}: cannot be written"):
            save_figure(small_figure(), [tmp_path / f"one.{suffix}"], 50)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_matplotlib_settings_of_the_user_are_ignored(tmp_path):
    save_figure(small_figure(), [tmp_path / "one.png"], 50)
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red", "savefig.bbox": "tight", "lines.linewidth": 9}):
        save_figure(small_figure(), [tmp_path / "two.png"], 50)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_colours_are_read_by_label():
    assert FigureSettings.from_dict(SETTINGS).colours == {1: "#d55e00", 2: "#56b4e9", 4: "k"}


@pytest.mark.parametrize("name", ["brats-glioma", "brats-paediatric", "brats-glioma-post-treatment"])
def test_a_region_has_the_colour_of_the_label_that_only_it_has(name):
    task = load_task(name)
    colours = region_colours({label.value: label.meaning for label in task.labels}, task)
    assert colours.pop("WT") == "oedema"
    assert (colours.pop("TC"), colours.pop("ET")) == ("necrosis", "enhancing")
    assert colours in ({}, {"RC": "cavity"})


def test_an_opaque_colour_hides_the_tissue():
    assert blend_over_tissue("#d55e00", 1.0) == to_rgb("#d55e00")
    assert len(set(blend_over_tissue("#d55e00", 0.0))) == 1


def test_every_outcome_is_visible_on_paper():
    handles = outcome_handles(TASK)
    assert [handle.get_hatch() for handle in handles] == [outcome.hatch for outcome in OUTCOMES]
    assert all(max(handle.get_edgecolor()[:3]) < 0.2 for handle in handles)
