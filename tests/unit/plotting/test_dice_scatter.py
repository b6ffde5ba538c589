import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import figure as figure_script
from tumorseg.plotting.axes import FEW_CASES, volume_limits
from tumorseg.plotting.dice_scatter import dice_by_volume, rank_correlation
from tumorseg.task import load_task

TASK = load_task()


def scores(cases: int, **changes) -> pd.DataFrame:
    """Return scores; `changes` replace the volume in mm³ and the Dice of the first cases, by structure."""
    rows = [
        {"case": f"{case}", "region": structure, "reference_mm3": 1e4 * (case + 1), "dice": (case + 1) / (cases + 1)}
        for case in range(cases)
        for structure in TASK.structures
    ]
    table = pd.DataFrame(rows)
    for structure, values in changes.items():
        changed = table.index[table["region"] == structure][: len(values)]
        table.loc[changed, ["reference_mm3", "dice"]] = values
    return table


def panel(figure: Figure, region: str):
    return next(axes for axes in figure.axes if axes.get_title().startswith(f"{region}:"))


def strips(figure: Figure) -> list:
    return [axes for axes in figure.axes if [text.get_text() for text in axes.get_xticklabels()] == ["absent"]]


def test_every_case_is_a_point_at_its_volume_in_ml():
    figure = dice_by_volume(scores(3), TASK)
    for region in TASK.region_labels:
        (points,) = panel(figure, region).lines
        assert points.get_xydata() == pytest.approx(np.array([[10, 0.25], [20, 0.5], [30, 0.75]]))
    assert not strips(figure)


def test_cases_without_the_region_are_counted_by_their_score_in_a_strip():
    figure = dice_by_volume(scores(5, ET=[(0, 1), (0, 0), (0, 1)]), TASK)
    (strip,) = strips(figure)
    assert strip.lines[0].get_ydata().tolist() == [0, 1]
    assert [(text.get_text(), text.get_position()[1]) for text in strip.texts] == [("1", 0), ("2", 1)]
    assert panel(figure, "ET").lines[0].get_xdata() == pytest.approx([40, 50])
    assert panel(figure, "ET").get_title().endswith("\nn = 2")


def test_a_region_absent_from_all_references_is_reported():
    figure = dice_by_volume(scores(2, ET=[(0, 1), (0, 0)]), TASK)
    assert [text.get_text() for text in panel(figure, "ET").texts] == ["absent from all references"]


def test_the_rank_correlation_is_in_the_title():
    table = scores(FEW_CASES)
    table.loc[table["region"] == "TC", "dice"] *= -1
    figure = dice_by_volume(table, TASK)
    assert panel(figure, "WT").get_title() == f"WT: whole tumour\nSpearman ρ = 1.00, n = {FEW_CASES}"
    assert panel(figure, "TC").get_title() == f"TC: tumour core\nSpearman ρ = −1.00, n = {FEW_CASES}"


def test_too_few_or_equal_cases_have_no_rank_correlation():
    rising = np.arange(FEW_CASES, dtype=float)
    assert rank_correlation(rising, rising**2) == pytest.approx(1)
    assert rank_correlation(rising[1:], rising[1:]) is None
    assert rank_correlation(rising, np.ones(FEW_CASES)) is None
    assert rank_correlation(np.ones(FEW_CASES), rising) is None


def test_many_cases_are_summarised_by_tenths():
    axes = panel(dice_by_volume(scores(200), TASK), "WT")
    squares = next(line for line in axes.lines if line.get_marker() == "s")
    tenths = np.arange(200).reshape(10, 20)
    assert squares.get_xdata() == pytest.approx(10 * (np.median(tenths, axis=1) + 1))
    assert squares.get_ydata() == pytest.approx((np.median(tenths, axis=1) + 1) / 201)


@pytest.mark.parametrize(("low", "high"), [(90.0, 110.0), (0.001, 300.0), (5.0, 5.0)])
def test_a_volume_axis_spans_all_volumes_and_at_least_a_decade(low, high):
    first, last = volume_limits(np.array([low, high]))
    assert first < low <= high < last
    assert last / first >= 10 * (1 - 1e-9)


def test_the_command_line_writes_each_format_and_equal_bytes(tmp_path):
    scores(3).to_csv(tmp_path / "cases.csv", index=False)
    outputs = [tmp_path / name for name in ("one.png", "one.pdf", "two.png", "two.pdf")]
    for pair in (outputs[:2], outputs[2:]):
        options = ["--scores", str(tmp_path / "cases.csv"), "--settings", '{"dpi": 30}', "--task", "brats-glioma"]
        figure_script.main(["--name", "dice_by_volume", *options, "--output", *map(str, pair)])
    one, one_pdf, two, two_pdf = (output.read_bytes() for output in outputs)
    assert (one, one_pdf) == (two, two_pdf)
    assert one.startswith(b"\x89PNG")
    assert one_pdf.startswith(b"%PDF")
