"""What scoring makes of masks that write labels in another way, or other labels, than the task has."""

import numpy as np
import pytest

from tests.support.case_files import AFFINE, mask, write_sound
from tests.support.score_folders import Folders
from tumorseg.io.nifti import write_nifti
from tumorseg.task import load_task

CASES = [f"BraTS-GLI-0000{number}-000" for number in (1, 2, 3)]
SWAPPED = {0: 0, 1: 2, 2: 1, 3: 3}


@pytest.fixture
def folders(tmp_path):
    for case in CASES:
        write_sound(tmp_path / "references", case)
    found = Folders(tmp_path)
    for case in CASES:
        found.predict(f"{case}.nii.gz", mask())
    return found


def relabelled(order):
    """The mask with its values replaced."""
    return np.vectorize(order.get, otypes=[np.uint8])(mask())


def refused(folders: Folders, capsys, **options) -> str:
    """What a run that ends in an error says."""
    with pytest.raises(SystemExit, match="1"):
        folders.score("predictions", **options)
    assert not (folders.root / "scores").exists()
    return capsys.readouterr().err


def test_predictions_that_mix_conventions_are_refused_with_a_file_of_each(folders, capsys):
    folders.predict(f"{CASES[1]}.nii.gz", mask(4))
    said = refused(folders, capsys)
    assert f"score.predictions: the masks below {folders.root / 'predictions'} write labels in different ways" in said
    assert f"{CASES[0]}.nii.gz as brats2023 and {CASES[1]}.nii.gz as brats2021" in said
    assert "set cohort.labels: mixed" in said


def test_references_that_mix_conventions_are_refused(folders, capsys):
    write_nifti(folders.references / CASES[1] / f"{CASES[1]}-seg.nii.gz", mask(4), AFFINE)
    assert "score.references: the masks below" in refused(folders, capsys)


def test_conventions_may_be_mixed_where_that_is_set_and_a_warning_says_so(folders, capsys):
    folders.predict(f"{CASES[1]}.nii.gz", mask(4))
    assert (folders.scored(labels="mixed")[0]["dice"] == 1).all()
    assert "as cohort.labels: mixed allows" in capsys.readouterr().err


def test_references_of_another_convention_than_cohort_labels_says_are_refused(folders, capsys):
    said = refused(folders, capsys, labels="brats2021")
    assert "but cohort.labels is brats2021" in said


def test_exchanged_labels_are_told_and_the_map_that_is_named_gives_the_right_scores(folders, capsys):
    for case in CASES:
        folders.predict(f"{case}.nii.gz", relabelled(SWAPPED))
    table, summary = folders.scored()
    assert (table.loc[(CASES[0], "label_1"), "dice"], table.loc[(CASES[0], "WT"), "dice"]) == (0, 1)
    (hint,) = summary["hints"]
    assert hint["label_map"] == {"1": 2, "2": 1, "3": 4}
    assert f"predictions: {hint['hint']}" in capsys.readouterr().err
    assert "set score.label_map: {1: 2, 2: 1, 3: 4}" in hint["hint"]
    table, summary = folders.scored(label_maps=[hint["label_map"]])
    assert (table["dice"] == 1).all()
    assert summary["hints"] == []
    assert (summary["label_map"], summary["reference_label_map"]) == ({"1": 2, "2": 1, "3": 4}, None)
    assert summary["task"] == "brats-glioma"


def test_a_label_map_that_is_wrong_itself_is_corrected_in_the_hint(folders):
    _, summary = folders.scored(label_maps=[{"1": 2, "2": 1, "3": 4}])
    assert [hint["label_map"] for hint in summary["hints"]] == [{"1": 1, "2": 2, "3": 4}]


def test_each_folder_has_its_own_label_map(folders):
    for case in CASES:
        folders.predict(f"{case}.nii.gz", relabelled(SWAPPED), folder="others")
    folders.score("predictions", "others", label_maps=[None, {"1": 2, "2": 1, "3": 4}])
    for folder in ("predictions", "others"):
        table = np.genfromtxt(folders.root / f"scores/{folder}/cases.csv", delimiter=",", names=True)
        assert (table["dice"] == 1).all()


def test_a_prediction_with_a_value_that_the_label_map_lacks_is_unusable(folders):
    folders.predict(f"{CASES[0]}.nii.gz", mask(4))
    _, summary = folders.scored(label_maps=[{"1": 1, "2": 2, "3": 4}])
    assert [found["case"] for found in summary["unusable"]] == CASES[:1]
    assert "add these values to score.label_map" in summary["unusable"][0]["reason"]


def test_one_prediction_in_another_order_is_told_by_file(folders, capsys):
    folders.predict(f"{CASES[1]}.nii.gz", relabelled(SWAPPED))
    folders.predict("BraTS-GLI-00004-000.nii.gz", mask())
    _, summary = folders.scored()
    assert [hint["case"] for hint in summary["hints"]] == [CASES[1]]
    assert f"{CASES[1]}.nii.gz: labels seem to be exchanged" in capsys.readouterr().err


def channels(order, task_regions=(("WT", (1, 2, 3)), ("TC", (1, 3)), ("ET", (3,)))):
    """The regions of the mask as channels, (X, Y, Z, C)."""
    regions = dict(task_regions)
    return np.stack([np.isin(mask(), regions[name]) for name in order], axis=-1).astype(np.uint8)


def beside():
    """The labels of the mask as channels, which do not overlap."""
    return np.stack([mask() == value for value in (1, 2, 3)], axis=-1).astype(np.uint8)


def test_channels_of_regions_are_read_as_such_with_a_note(folders, capsys):
    folders.predict(f"{CASES[0]}.nii.gz", channels(("TC", "WT", "ET")))
    folders.predict(f"{CASES[1]}.nii.gz", np.moveaxis(channels(("TC", "WT", "ET")), -1, 0))
    table, summary = folders.scored()
    assert (table["dice"] == 1).all()
    note = "read as channels of regions TC, WT, ET"
    assert [(row["case"], row["note"]) for row in summary["notes"]] == [(case, note) for case in CASES[:2]]
    assert f"{CASES[0]}.nii.gz: {note}" in capsys.readouterr().err
    assert summary["hints"] == []


def test_channels_whose_order_does_not_show_are_refused(folders, capsys):
    folders.predict(f"{CASES[0]}.nii.gz", beside())
    said = refused(folders, capsys)
    assert f"score.predictions: {CASES[0]}.nii.gz below" in said
    assert "does not show which of them are the regions WT, TC, ET; write one mask of three dimensions" in said


def test_two_predictions_of_another_kind_stop_the_run(folders, capsys):
    both = mask()
    both[0, 0, 0] = 4
    for case in CASES[:2]:
        folders.predict(f"{case}.nii.gz", both)
    said = refused(folders, capsys)
    assert "are of another kind" in said
    assert all(f"{case}.nii.gz: the mask has" in said for case in CASES[:2])
    assert "brats-glioma-post-treatment" in said


def test_a_reference_with_channels_is_refused_with_the_way_to_labels(folders, capsys):
    write_nifti(folders.references / CASES[0] / f"{CASES[0]}-seg.nii.gz", channels(("WT", "TC", "ET")), AFFINE)
    assert "if it has a channel for each region, write one mask of three dimensions instead: 2" in refused(
        folders, capsys
    )


@pytest.mark.parametrize(
    ("case", "task"),
    [("BraTS-GLI-00004-101", "brats-glioma-post-treatment"), ("BraTS-PED-00001-000", "brats-paediatric")],
)
def test_references_called_like_cases_of_another_task_are_refused_with_that_task(folders, capsys, case, task):
    write_sound(folders.references, case)
    said = refused(folders, capsys)
    assert f"{case}-seg.nii.gz: this seems to be a case of another task than brats-glioma: its name is {case}" in said
    assert f"set cohort.task: {task}" in said


def test_a_label_map_leaves_no_doubt_about_the_task(folders):
    case = "BraTS-PED-00001-000"
    write_sound(folders.references, case)
    folders.predict(f"{case}.nii.gz", mask())
    mapped = load_task().with_label_map({1: 1, 2: 2, 3: 4}).to_json()
    assert (folders.scored(task=mapped)[0]["dice"] == 1).all()
