import pandas as pd
import pytest

from tumorseg.plotting.volume_agreement import limits_of_agreement, volume_agreement
from tumorseg.task import load_task

TASK = load_task()


def scores(*volumes_ml: tuple[float, float]) -> pd.DataFrame:
    """Return the rows of cases with these volumes of the whole tumour in reference and prediction."""
    rows = [(f"case-{number}", "WT", 1000 * one, 1000 * other) for number, (one, other) in enumerate(volumes_ml)]
    return pd.DataFrame(rows, columns=["case", "region", "reference_mm3", "predicted_mm3"])


def test_the_limits_are_1_96_standard_deviations_from_the_mean():
    # Differences of the example of Bland and Altman 1986: peak flow, mean -2.1 l/min, standard deviation 38.8 l/min.
    large = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    small = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    found = limits_of_agreement(pd.Series(large).to_numpy(float) - small)
    assert found.mean == pytest.approx(-2.1, abs=0.05)
    assert (found.high - found.mean) / 1.96 == pytest.approx(38.8, abs=0.05)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)


def test_points_are_differences_against_means():
    axes = volume_agreement(scores((10, 14), (0, 2), (0, 0)), TASK).axes[0]
    (points,) = (line for line in axes.lines if line.get_marker() == "o")
    assert (list(points.get_xdata()), list(points.get_ydata())) == ([12, 1], [4, 2])
    assert axes.get_title() == "WT: whole tumour\n2 cases, 1 absent from both"


@pytest.mark.parametrize(("cases", "texts"), [(9, ["limits of agreement need 10 cases"]), (10, 3)])
def test_few_cases_have_a_sentence_instead_of_limits(cases, texts):
    axes = volume_agreement(scores(*((10.0 + case, 12.0 + 2 * case) for case in range(cases))), TASK).axes[0]
    found = [text.get_text() for text in axes.texts]
    assert found == texts if cases < 10 else (len(found), found[1]) == (texts, "mean: +6.5 ml")


def test_small_volumes_have_more_decimals():
    axes = volume_agreement(scores(*((0.05, 0.05 + case / 1000) for case in range(10))), TASK).axes[0]
    assert [text.get_text() for text in axes.texts][1] == "mean: +0.005 ml"


def test_a_cohort_without_a_region_has_an_empty_plot():
    assert "0 cases" in volume_agreement(scores((1, 2)), TASK).axes[2].get_title()
