import pytest

from tumorseg.metrics import registry
from tumorseg.plotting.score_table import ABSENT, has_convention, table_header, table_rows
from tumorseg.task import load_task

TASK = load_task()

SCORES = {
    "dice": 0.9,
    "lesionwise_dice": 0.4567,
    "hd95": 12.34,
    "reference_voxels": 500.0,
    "predicted_voxels": 400.0,
    "reference_mm3": 12345.0,
    "predicted_mm3": 40.0,
}


@pytest.fixture(autouse=True)
def only_these_metrics(monkeypatch):
    names = ("dice", "hd95", "lesionwise_dice")
    monkeypatch.setattr(registry, "_METRICS", {name: registry.metric(name) for name in names})


def rows_with(**enhancing):
    """Return the rows of whole and of enhancing tumour; `enhancing` replaces scores of the latter."""
    scores = dict.fromkeys(TASK.structures, SCORES)
    scores |= {structure: {**SCORES, **enhancing} for structure in ("ET", "label_4")}
    rows = table_rows(scores, TASK)
    assert {len(row) for row in rows} == {len(table_header())}
    return rows[0], rows[-1]


def test_numbers_are_rounded_and_volumes_are_in_millilitres():
    whole, _ = rows_with()
    assert whole == ("WT: whole tumour", "0.900", "12.3", "0.457", "12.3", "0.04")


def test_every_region_and_label_has_a_row():
    names = [row[0] for row in table_rows(dict.fromkeys(TASK.structures, SCORES), TASK)]
    assert [name.split(":")[0] for name in names] == ["WT", "TC", "1", "2", "ET = 4"]


def test_scores_of_absent_structures_are_in_brackets():
    whole, enhancing = rows_with(
        reference_voxels=0, reference_mm3=0, predicted_voxels=0, predicted_mm3=0, dice=1, hd95=0
    )
    assert enhancing[1:] == ("(1.000)", "(0.0)", "(0.457)", ABSENT, ABSENT)
    assert (has_convention(enhancing), has_convention(whole)) == (True, False)


def test_only_the_distance_of_a_missed_structure_is_in_brackets():
    _, enhancing = rows_with(predicted_voxels=0, predicted_mm3=0, dice=0, lesionwise_dice=0, hd95=374)
    assert enhancing[1:] == ("0.000", "(374.0)", "0.000", "12.3", ABSENT)
