import pandas as pd
import pytest

from tumorseg.plotting.distance_distributions import distance_distributions, left_out_texts
from tumorseg.task import load_task

TASK = load_task()


def scores(*voxels: tuple[int, int]) -> pd.DataFrame:
    """Return the rows of cases with these voxels in reference and prediction, in each region."""
    return pd.DataFrame(
        [
            {
                "case": f"case-{number}",
                "region": region,
                "hd95": 3.0 if reference and predicted else 374.0,
                "lesionwise_hd95": 5.0,
                "lesionwise_dice": 0.5,
                "reference_voxels": reference,
                "predicted_voxels": predicted,
            }
            for number, (reference, predicted) in enumerate(voxels)
            for region in TASK.region_labels
        ]
    )


def test_distances_that_do_not_exist_are_counted_in_words():
    table = scores((9, 9), (9, 0), (0, 9), (0, 9), (0, 0))
    rows = table[table["region"] == "WT"]
    assert list(left_out_texts(rows)) == ["1 missed", "2 false", "1 absent\nfrom both"]
    axes = distance_distributions(table, TASK).axes[0]
    assert axes.get_xticklabels()[0].get_text().endswith("1 missed\n2 false\n1 absent\nfrom both")
    assert [list(line.get_ydata()) for line in axes.lines if line.get_marker() == "o"] == [[3.0]] * 3


@pytest.mark.parametrize(("cases", "boxes"), [(9, 0), (10, 3)])
def test_few_cases_have_no_boxes_and_a_sentence(cases, boxes):
    figure = distance_distributions(scores(*[(9, 9)] * cases), TASK)
    assert [len(axes.patches) for axes in figure.axes] == [boxes] * 3
    assert (figure.get_supxlabel() == "9 cases: each is a point; boxes are drawn from 10 cases on") == (cases < 10)


def test_every_panel_has_its_unit():
    titles = [axes.get_title() for axes in distance_distributions(scores((9, 9)), TASK).axes]
    assert [title.endswith(", mm") for title in titles] == [True, True, False]
