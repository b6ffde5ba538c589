import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from tumorseg.evaluation.lesion_table import LESION_COLUMNS
from tumorseg.plotting.lesion_detection import lesion_detection, wilson_interval
from tumorseg.task import load_task

TASK = load_task()


def lesions(*outcomes: str, mm3: float = 1000.0, region: str = "WT") -> pd.DataFrame:
    rows = [("a", 0, region, outcome, mm3, 0.5) for outcome in outcomes]
    return pd.DataFrame(rows, columns=LESION_COLUMNS)


@pytest.mark.parametrize(("found", "total"), [(0, 10), (7, 10), (10, 10), (1, 1)])
def test_the_interval_is_that_of_wilson(found, total):
    expected = binomtest(found, total).proportion_ci(0.95, method="wilson")
    assert wilson_interval(found, total) == pytest.approx((expected.low, expected.high), abs=1e-4)


def test_many_lesions_have_a_share_with_its_interval():
    above = lesion_detection(lesions(*["found"] * 8, *["missed"] * 2), TASK).axes[0]
    assert above.get_title() == "WT: whole tumour\n8 of 10 lesions found"
    (share,) = (line for line in above.lines if line.get_marker() == "o")
    assert list(share.get_ydata()) == [0.8]
    assert [text.get_text() for text in above.texts] == ["8/10"]


def test_few_lesions_are_lines_and_numbers():
    above = lesion_detection(lesions(*["found"] * 8, "missed"), TASK).axes[0]
    assert not [line for line in above.lines if line.get_marker() == "o"]
    found, missed = (line for line in above.lines if line.get_marker() == "|")
    assert (len(found.get_xdata()), len(missed.get_xdata())) == (8, 1)
    assert [text.get_text() for text in above.texts] == ["8/9"]


def test_false_lesions_are_counted_below():
    axes = lesion_detection(pd.concat([lesions("found"), lesions("false", "false", mm3=10)]), TASK).axes
    below = next(panel for panel in axes if "false lesions)" in panel.get_xlabel())
    assert (below.get_xlabel(), [text.get_text() for text in below.texts]) == ("volume, ml (2 false lesions)", ["2"])


def test_the_smallest_lesions_are_counted_too():
    axes = lesion_detection(pd.concat([lesions("found", mm3=0.25), lesions("false", mm3=0.25)]), TASK).axes
    below = next(panel for panel in axes if "false lesion)" in panel.get_xlabel())
    assert [[text.get_text() for text in panel.texts] for panel in (axes[0], below)] == [["1/1"], ["1"]]


def test_without_lesions_the_figure_says_so():
    empty = lesions()
    assert lesion_detection(empty, TASK).axes[0].get_title().endswith("no lesions")
    assert np.isfinite(lesion_detection(empty, TASK).axes[0].get_xlim()).all()
