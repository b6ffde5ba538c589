import json

import pandas as pd
import pytest

import learning_curve_table
from tests.support.builders import TASK
from tumorseg.io.tables import read_table, write_table
from tumorseg.learning_curve.plan import CurvePoint
from tumorseg.learning_curve.score_tables import (
    SCORE_COLUMNS,
    collect_scores,
    mean_dice,
    read_scores,
    summarise_curve,
    summary_lines,
)
from tumorseg.metrics.registry import columns

DICE = {
    CurvePoint("model", 0, 0): (0.2, 0.4),
    CurvePoint("random", 2, 1): (0.1, 0.3),
    CurvePoint("random", 2, 2): (0.3, 0.5),
    CurvePoint("model", 2, 1): (0.5, 0.7),
    CurvePoint("model", 2, 2): (0.7, 0.9),
}
"""Dice of two held-out cases, by point."""


@pytest.fixture
def tables(tmp_path):
    """The table of scores of each point."""
    files = {}
    for number, (point, dice) in enumerate(DICE.items()):
        rows = [
            {"case": f"c{case}", "fold": case, "region": region, **dict.fromkeys(columns(), 1.0), "dice": value}
            for case, value in enumerate(dice)
            for region in TASK.structures
        ]
        files[point] = tmp_path / f"{number}.csv"
        write_table(files[point], pd.DataFrame(rows))
    return files


def test_the_table_has_a_row_for_each_point_held_out_case_and_structure(tables):
    scores = collect_scores(tables)
    assert list(scores) == list(SCORE_COLUMNS)
    assert len(scores) == len(DICE) * 2 * len(TASK.structures)
    assert scores["seed"].isna().sum() == 2 * len(TASK.structures)
    row = scores.query("start == 'model' and training_cases == 2 and seed == 2 and case == 'c1' and region == 'WT'")
    assert row["dice"].tolist() == [0.9]


def test_the_mean_of_a_seed_is_over_its_held_out_cases(tables):
    means = mean_dice(collect_scores(tables))
    (row,) = means.query("start == 'random' and seed == 1 and region == 'ET'").to_dict("records")
    assert (row["dice"], row["held_out_cases"]) == (pytest.approx(0.2), 2)


def test_the_summary_has_mean_and_spread_over_the_seeds(tables):
    summary = summarise_curve(collect_scores(tables), TASK)
    assert summary[["start", "training_cases"]].drop_duplicates().to_numpy().tolist() == [
        ["random", 2],
        ["model", 0],
        ["model", 2],
    ]
    assert summary["region"].head(len(TASK.structures)).tolist() == list(TASK.structures)
    trained = summary.query("start == 'random' and region == 'WT'").iloc[0]
    found = trained[["dice", "dice_sd", "dice_lowest", "dice_highest"]].tolist()
    assert found == pytest.approx([0.3, 0.02**0.5, 0.2, 0.4])
    assert (trained["seeds"], trained["held_out_cases"]) == (2, 2)


def test_the_start_model_as_it_is_has_no_seed_and_no_spread(tables):
    summary = summarise_curve(collect_scores(tables), TASK)
    unchanged = summary.query("training_cases == 0 and region == 'WT'").iloc[0]
    assert unchanged["seeds"] == 0
    assert unchanged["dice"] == pytest.approx(0.3)
    assert pd.isna(unchanged["dice_sd"])


def test_a_line_for_the_terminal_has_the_regions_of_a_point(tables):
    lines = summary_lines(summarise_curve(collect_scores(tables), TASK), TASK)
    assert lines[0].startswith("2 training cases, from random weights: Dice WT 0.300 ± 0.141, TC ")
    assert lines[1] == "0 training cases, from the start model: Dice WT 0.300, TC 0.300, ET 0.300"


def test_the_script_writes_both_tables(tables, tmp_path):
    points = json.dumps([vars(point) for point in tables])
    outputs = ["--cases", tmp_path / "cases.csv", "--summary", tmp_path / "summary.csv"]
    arguments = ["--scores", *tables.values(), "--points", points, "--task", "brats-glioma", *outputs]
    learning_curve_table.main([*map(str, arguments)])
    pd.testing.assert_frame_equal(
        mean_dice(read_scores(tmp_path / "cases.csv")), mean_dice(collect_scores(tables)), check_dtype=False
    )
    assert len(read_table(tmp_path / "summary.csv")) == 3 * len(TASK.structures)
