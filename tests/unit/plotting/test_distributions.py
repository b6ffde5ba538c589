import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorseg.plotting.distributions import score_distributions, swarm_offsets
from tumorseg.task import load_task

TASK = load_task()


def scores(cases: int, *, absent: int = 0) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "case": f"case-{case}",
                "region": structure,
                **dict.fromkeys(("dice", "iou", "f1", "precision", "sensitivity"), 0.5),
                "reference_voxels": 0 if case < absent and structure == "ET" else 10,
                "predicted_voxels": 10,
            }
            for case in range(cases)
            for structure in TASK.structures
        ]
    )


@given(st.lists(st.floats(0, 1), max_size=50))
def test_no_point_covers_another(values):
    values = np.array(values)
    positions = set(zip(np.minimum((values * 40).astype(int), 39), swarm_offsets(values), strict=True))
    assert len(positions) == len(values)


def test_points_far_apart_stay_in_the_middle():
    assert swarm_offsets(np.array([0.1, 0.5, 0.9, 1.0])).tolist() == [0, 0, 0, 0]


def test_points_of_one_level_are_around_the_middle():
    assert sorted(swarm_offsets(np.array([0.5, 0.5, 0.5]))) == [-1, 0, 1]


STRUCTURES = ["WT", "TC", "ET", "label_1", "label_2"]  # label 4 has the scores of ET


@pytest.mark.parametrize(("cases", "panels"), [(1, 1), (9, 1), (10, 4)])
def test_every_case_is_a_point_of_every_structure(cases, panels):
    drawn = score_distributions(scores(cases), TASK).axes
    assert len(drawn) == panels
    for axes in drawn:
        points = sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() == "o")
        assert points == cases * len(STRUCTURES)


def test_few_cases_have_no_boxes_and_a_sentence():
    (axes,) = score_distributions(scores(9), TASK).axes
    assert not axes.patches
    assert axes.get_title() == "Dice of 9 cases; boxes are drawn from 10 cases on"
    figure = score_distributions(scores(10), TASK)
    assert len(figure.axes[0].patches) == len(STRUCTURES)
    assert "whiskers to the last case within 1.5" in figure.legends[0].get_texts()[-1].get_text()


def test_scores_defined_by_convention_are_hollow():
    for axes in score_distributions(scores(4, absent=3), TASK).axes:
        diamonds = [line for line in axes.lines if line.get_marker() == "D" and len(line.get_xdata())]
        assert [len(line.get_xdata()) for line in diamonds] == [3]
        assert diamonds[0].get_markerfacecolor() == "none"


def test_for_many_cases_scores_defined_by_convention_are_counted():
    table = scores(120, absent=30)
    table.loc[(table["reference_voxels"] == 0) & (table["case"] < "case-2"), ["dice", "iou"]] = 1.0
    axes = score_distributions(table, TASK).axes[0]
    assert sorted(text.get_text() for text in axes.texts) == ["12", "18"]
    points = sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() == "o")
    assert points == 120 * len(STRUCTURES) - 30


def test_for_many_cases_the_box_is_transparent_and_above_the_points():
    for cases, above in ((10, False), (120, True)):
        axes = score_distributions(scores(cases), TASK).axes[0]
        box = axes.patches[0]
        points = next(line for line in axes.lines if line.get_marker() == "o")
        assert (box.get_facecolor()[3] == 0) == above
        assert (box.get_zorder() > points.get_zorder()) == above
