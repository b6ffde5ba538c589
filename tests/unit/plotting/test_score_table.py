import pytest

from tumorseg.metrics import registry
from tumorseg.plotting.score_table import ABSENT, has_convention, table_header, table_rows
from tumorseg.task import load_task

TASK = load_task()

SOUND = {
    "dice": 0.9,
    "lesionwise_dice": 0.4567,
    "hd95": 12.34,
    "reference_voxels": 500.0,
    "predicted_voxels": 400.0,
    "reference_mm3": 12345.0,
    "predicted_mm3": 40.0,
}


@pytest.fixture(autouse=True)
def these_scores_alone(monkeypatch):
    these = ("dice", "hd95", "lesionwise_dice")
    monkeypatch.setattr(registry, "_METRICS", {name: registry.metric(name) for name in these})


def lines_with(**enhancing):
    """The cells of whole and of enhancing tumour, which differs by `enhancing`."""
    scores = dict.fromkeys(TASK.structures, SOUND)
    scores |= {structure: {**SOUND, **enhancing} for structure in ("ET", "label_4")}
    lines = table_rows(scores, TASK)
    assert {len(line) for line in lines} == {len(table_header())}
    return lines[0], lines[-1]


def test_numbers_are_rounded_and_volumes_are_millilitres():
    whole, _ = lines_with()
    assert whole == ("WT: whole tumour", "0.900", "12.3", "0.457", "12.3", "0.04")


def test_every_region_and_label_has_a_line():
    names = [line[0] for line in table_rows(dict.fromkeys(TASK.structures, SOUND), TASK)]
    assert [name.split(":")[0] for name in names] == ["WT", "TC", "1", "2", "ET = 4"]


def test_scores_of_what_the_reference_lacks_are_conventions():
    whole, enhancing = lines_with(
        reference_voxels=0, reference_mm3=0, predicted_voxels=0, predicted_mm3=0, dice=1, hd95=0
    )
    assert enhancing[1:] == ("(1.000)", "(0.0)", "(0.457)", ABSENT, ABSENT)
    assert (has_convention(enhancing), has_convention(whole)) == (True, False)


def test_missing_what_is_there_is_no_convention_but_its_distance_is():
    _, enhancing = lines_with(predicted_voxels=0, predicted_mm3=0, dice=0, lesionwise_dice=0, hd95=374)
    assert enhancing[1:] == ("0.000", "(374.0)", "0.000", "12.3", ABSENT)
