import pandas as pd
import pytest

from tests.support.builders import TASK
from tumorseg.plotting.case_count_chart import dice_by_training_cases


def means(sizes=(0, 2, 5), starts=("random", "model")) -> pd.DataFrame:
    """Return the mean Dice of two seeds, 0.1 apart; 0 cases only for the start model."""
    rows = [
        {"start": start, "training_cases": size, "region": region, "seed": seed, "dice": size / 10 + seed / 10}
        for start in starts
        for size in sizes
        for seed in ((1, 2) if size else (float("nan"),))
        for region in TASK.structures
        if size or start == "model"
    ]
    return pd.DataFrame(rows).fillna({"dice": 0.2})


def panel(figure, region):
    return next(axes for axes in figure.axes if axes.get_title().startswith(f"{region}:"))


def test_each_region_has_a_plot_with_a_line_for_each_start():
    figure = dice_by_training_cases(means(), TASK)
    for region in TASK.region_labels:
        axes = panel(figure, region)
        scratch, started = (container.lines[0] for container in axes.containers)
        assert list(scratch.get_xdata()) == [2, 5]
        assert scratch.get_ydata() == pytest.approx([0.35, 0.65])
        assert list(started.get_xdata()) == [0, 2, 5]
        assert started.get_ydata() == pytest.approx([0.2, 0.35, 0.65])
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [
        "trained from random weights",
        "trained from the start model",
        "one seed; bars: lowest to highest",
    ]


def test_the_bars_reach_from_the_lowest_to_the_highest_seed_and_each_seed_has_a_mark():
    axes = panel(dice_by_training_cases(means(sizes=(2, 5), starts=("random",)), TASK), "WT")
    (bars,) = axes.containers[0].lines[2]
    assert [[y for _, y in segment] for segment in bars.get_segments()] == [
        pytest.approx([0.3, 0.4]),
        pytest.approx([0.6, 0.7]),
    ]
    assert axes.lines[-1].get_ydata().tolist() == pytest.approx([0.3, 0.4, 0.6, 0.7])


@pytest.mark.parametrize("sizes", [(0, 2, 5), (2, 14, 1000), (3,), (0,)])
def test_every_number_of_cases_has_a_tick(sizes):
    axes = panel(dice_by_training_cases(means(sizes), TASK), "WT")
    axes.figure.canvas.draw()
    assert [text.get_text() for text in axes.get_xticklabels()] == [f"{size:,}" for size in sizes]


def test_without_a_start_model_there_is_one_line():
    figure = dice_by_training_cases(means((2, 5), ("random",)), TASK)
    assert all(len(axes.containers) == 1 for axes in figure.axes)
    assert len(figure.legends[0].get_texts()) == 2
