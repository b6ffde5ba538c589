"""The tables of Dice with fewer images, without and with channel dropout."""

import pandas as pd
import pytest

from tests.benchmarks.fewer_images import ALL, SUBSETS, draw, gain_table, means_table
from tests.benchmarks.study.table import DICE
from tests.support.builders import REPOSITORY
from tumorseg.io.tables import read_table

RECORDED = REPOSITORY / "tests/benchmarks/study/fewer_images.csv"


def scores(dice, *, cases=("a", "b"), seeds=(1, 2)):
    """Return scores in which each structure has `dice(dropout, seed, case, channels)`."""
    return pd.DataFrame(
        {
            "dropout": dropout,
            "seed": seed,
            "fold": 0,
            "case": case,
            "channels": channels,
            **dict.fromkeys(DICE, dice(dropout, seed, case, channels)),
        }
        for dropout in (0.0, 0.1)
        for seed in seeds
        for case in cases
        for channels in SUBSETS
    )


def test_the_page_of_the_recipes_has_the_recorded_scores():
    recorded = read_table(RECORDED, text_columns=["case", "channels"])
    page = (REPOSITORY / "workflow/docs/recipes.md").read_text()
    assert means_table(recorded) in page
    assert gain_table(recorded) in page


def test_each_subset_has_its_mean_without_and_with_dropout():
    found = scores(lambda dropout, seed, case, channels: (case == "a") * 0.5 + dropout + (channels == "t1"))  # noqa: ARG005
    lines = means_table(found).splitlines()
    assert len(lines) == 2 + 15
    assert lines[2] == "| T1, T1CE, T2, FLAIR |" + " 0.250 | 0.350 |" * len(DICE)
    t1 = next(line for line in lines if line.startswith("| T1 |"))
    assert t1 == "| T1 |" + " 1.250 | 1.350 |" * len(DICE)


def test_the_gain_with_all_images_is_paired_by_case_and_seed():
    gains = {(1, "a"): 0.1, (1, "b"): 0.3, (2, "a"): 0.0, (2, "b"): 0.0}

    def dice(dropout, seed, case, channels):
        return 0.2 * (case == "a") + (gains[seed, case] if dropout and channels == ALL else 0)

    lines = gain_table(scores(dice)).splitlines()
    assert [line.split(" | ")[1] for line in lines[2:]] == ["+0.200 ± 0.100", "+0.000 ± 0.000", "+0.100 ± 0.050"]


def test_the_figure_has_a_row_for_each_subset():
    figure = draw(scores(lambda *_: 0.5))
    assert len(figure.axes[0].get_yticklabels()) == len(SUBSETS)
    assert figure.axes[0].lines[0].get_xdata() == pytest.approx([0.5] * len(SUBSETS))
