"""The figure of expected and true Dice."""

import pandas as pd
import pytest

import figure as figure_script
from tests.support.builders import TASK
from tumorseg.plotting.quality_scatter import predicted_quality


def table(expected) -> pd.DataFrame:
    """Return the rows of two cases with a mask and one without."""
    return pd.DataFrame(
        {"case": case, "region": name, "dice": 0.5, "soft_dice": 0.9, "expected_dice": expected, "predicted_mm3": mm3}
        for case, mm3 in (("a", 10.0), ("b", 20.0), ("c", 0.0))
        for name in TASK.structures
    )


@pytest.mark.parametrize(
    ("expected", "label", "x"), [(0.6, "expected Dice", 0.6), (None, "soft Dice of the network", 0.9)]
)
def test_each_case_with_a_mask_is_a_point(expected, label, x):
    panels = predicted_quality(table(expected).astype({"expected_dice": float}), TASK).axes
    assert len(panels) == len(TASK.regions)
    for axes in panels:
        diagonal, points = axes.lines
        assert (axes.get_xlabel(), axes.get_title().endswith("\n2 cases")) == (label, True)
        assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
        assert points.get_xydata().tolist() == [[x, 0.5], [x, 0.5]]


def test_the_figure_is_drawn_from_the_table(tmp_path):
    rows = table(None).assign(fold=0, covered="", covered_from_other_folds="")
    rows.to_csv(tmp_path / "reliability.csv", index=False)
    options = [
        "--reliability",
        str(tmp_path / "reliability.csv"),
        "--task",
        "brats-glioma",
        "--settings",
        '{"dpi": 50}',
    ]
    figure_script.main(["--name", "predicted_quality", *options, "--output", str(tmp_path / "figure.png")])
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
