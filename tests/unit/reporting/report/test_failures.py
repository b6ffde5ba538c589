import pandas as pd
import pytest

from tests.unit.cohort.test_overview import TASK
from tests.unit.reporting.report.test_content import scores
from tumorseg.reporting.report.case_rows import case_rows
from tumorseg.reporting.report.failures import worst_cases

PATIENTS = {"a": "A", "b": "B"}


def failures_of(table):
    return worst_cases(table, case_rows(table, PATIENTS, TASK), TASK)


def table_with(case, structure, **values):
    """Return a table of two equal cases, in which a structure of one of them has other values."""
    table = scores(reference_mm3=10_000, predicted_mm3=8_000, reference_voxels=10_000, true_positives=7_000)
    for column, value in values.items():
        table[column] = table[column].astype(float)
        table.loc[(table["case"] == case) & (table["region"] == structure), column] = value
    return table


def test_the_case_with_the_lowest_mean_over_the_labels_is_the_worst():
    assert [failure.row.case for failure in failures_of(table_with("b", "label_1", dice=0.1))] == ["b"]


def test_at_most_half_of_the_cases_are_called_worst():
    table = scores()
    rows = pd.concat([table.assign(case=table["case"] + str(number)) for number in range(4)])
    patients = dict.fromkeys(rows["case"].unique(), "P")
    assert len(worst_cases(rows, case_rows(rows, patients, TASK), TASK)) == 3


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"dice": 0.1, "reference_mm3": 0, "predicted_mm3": 500, "reference_voxels": 0},
            "Oedema: 0.50 ml predicted, although the reference has none. Its Dice is 0 by convention.",
        ),
        (
            {"dice": 0.1, "predicted_mm3": 0, "predicted_voxels": 0},
            "Oedema: not predicted at all. The reference has 10.0 ml.",
        ),
        (
            {"dice": 0.1, "lesions_missed": 1, "lesions_found": 2, "lesions_false": 4},
            "Oedema: Dice 0.100. 3.0 ml of 10.0 ml missed; 1.0 ml false; 1 of 3 lesions missed; 4 predicted "
            "components touch no lesion.",
        ),
    ],
)
def test_the_worst_structure_is_described_first(values, sentence):
    (failure,) = failures_of(table_with("b", "label_2", **values))
    assert failure.row.case == "b"
    assert failure.reasons[0] == sentence


def test_missing_images_are_a_reason():
    table = table_with("b", "label_2", dice=0.1)
    table.loc[table["case"] == "b", "channels"] = "t1,flair"
    assert failures_of(table)[0].reasons[-1] == "The case lacks T1CE, T2."
