"""Scoring masks with other label conventions or other labels than the task has."""

import numpy as np
import pytest

from tests.support.case_files import AFFINE, mask, write_valid_case
from tests.support.score_folders import Folders
from tumorseg.io.nifti import write_nifti
from tumorseg.task import load_task

CASES = [f"BraTS-GLI-0000{number}-000" for number in (1, 2, 3)]
EXCHANGED = {0: 0, 1: 2, 2: 1, 3: 3}


@pytest.fixture
def folders(tmp_path):
    for case in CASES:
        write_valid_case(tmp_path / "references", case)
    found = Folders(tmp_path)
    for case in CASES:
        found.predict(f"{case}.nii.gz", mask())
    return found


def relabelled(mapping):
    """Return the mask with its values replaced."""
    return np.vectorize(mapping.get, otypes=[np.uint8])(mask())


def error_message(folders: Folders, capsys, **options) -> str:
    """Return what a failing run prints."""
    with pytest.raises(SystemExit, match="1"):
        folders.score("predictions", **options)
    assert not (folders.root / "scores").exists()
    return capsys.readouterr().err


def test_predictions_that_mix_conventions_are_refused_with_a_file_of_each(folders, capsys):
    folders.predict(f"{CASES[1]}.nii.gz", mask(4))
    message = error_message(folders, capsys)
    assert (
        f"score.predictions: the masks below {folders.root / 'predictions'} use different label conventions" in message
    )
    assert f"{CASES[0]}.nii.gz as brats2023 and {CASES[1]}.nii.gz as brats2021" in message
    assert "set cohort.labels: mixed" in message


def test_references_that_mix_conventions_are_refused(folders, capsys):
    write_nifti(folders.references / CASES[1] / f"{CASES[1]}-seg.nii.gz", mask(4), AFFINE)
    assert "score.references: the masks below" in error_message(folders, capsys)


def test_mixed_conventions_are_allowed_with_a_warning_if_configured(folders, capsys):
    folders.predict(f"{CASES[1]}.nii.gz", mask(4))
    assert (folders.scored(labels="mixed")[0]["dice"] == 1).all()
    assert "cohort.labels: mixed allows this" in capsys.readouterr().err


def test_references_that_contradict_cohort_labels_are_refused(folders, capsys):
    message = error_message(folders, capsys, labels="brats2021")
    assert "but cohort.labels is brats2021" in message


def test_the_label_map_in_the_hint_on_exchanged_labels_gives_the_right_scores(folders, capsys):
    for case in CASES:
        folders.predict(f"{case}.nii.gz", relabelled(EXCHANGED))
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


def test_a_hint_corrects_a_wrong_label_map(folders):
    _, summary = folders.scored(label_maps=[{"1": 2, "2": 1, "3": 4}])
    assert [hint["label_map"] for hint in summary["hints"]] == [{"1": 1, "2": 2, "3": 4}]


def test_each_folder_has_its_own_label_map(folders):
    for case in CASES:
        folders.predict(f"{case}.nii.gz", relabelled(EXCHANGED), folder="others")
    folders.score("predictions", "others", label_maps=[None, {"1": 2, "2": 1, "3": 4}])
    for folder in ("predictions", "others"):
        table = np.genfromtxt(folders.root / f"scores/{folder}/cases.csv", delimiter=",", names=True)
        assert (table["dice"] == 1).all()


def test_a_prediction_with_a_value_that_the_label_map_lacks_is_unusable(folders):
    folders.predict(f"{CASES[0]}.nii.gz", mask(4))
    _, summary = folders.scored(label_maps=[{"1": 1, "2": 2, "3": 4}])
    assert [found["case"] for found in summary["unusable"]] == CASES[:1]
    assert "add these values to score.label_map" in summary["unusable"][0]["reason"]


def test_one_prediction_with_exchanged_labels_gives_a_hint_on_its_file(folders, capsys):
    folders.predict(f"{CASES[1]}.nii.gz", relabelled(EXCHANGED))
    folders.predict("BraTS-GLI-00004-000.nii.gz", mask())
    _, summary = folders.scored()
    assert [hint["case"] for hint in summary["hints"]] == [CASES[1]]
    assert f"{CASES[1]}.nii.gz: labels seem to be exchanged" in capsys.readouterr().err


def channels(order, task_regions=(("WT", (1, 2, 3)), ("TC", (1, 3)), ("ET", (3,)))):
    """Return the regions of the mask as channels, (X, Y, Z, C)."""
    regions = dict(task_regions)
    return np.stack([np.isin(mask(), regions[name]) for name in order], axis=-1).astype(np.uint8)


def label_channels():
    """Return the labels of the mask as channels, which do not overlap."""
    return np.stack([mask() == value for value in (1, 2, 3)], axis=-1).astype(np.uint8)


def test_channels_of_regions_are_read_with_a_note(folders, capsys):
    folders.predict(f"{CASES[0]}.nii.gz", channels(("TC", "WT", "ET")))
    folders.predict(f"{CASES[1]}.nii.gz", np.moveaxis(channels(("TC", "WT", "ET")), -1, 0))
    table, summary = folders.scored()
    assert (table["dice"] == 1).all()
    note = "read as channels of regions TC, WT, ET"
    assert [(row["case"], row["note"]) for row in summary["notes"]] == [(case, note) for case in CASES[:2]]
    assert f"{CASES[0]}.nii.gz: {note}" in capsys.readouterr().err
    assert summary["hints"] == []


def test_channels_in_an_ambiguous_order_are_refused(folders, capsys):
    folders.predict(f"{CASES[0]}.nii.gz", label_channels())
    message = error_message(folders, capsys)
    assert f"score.predictions: {CASES[0]}.nii.gz below" in message
    assert "does not show which ones are the regions WT, TC, ET; write one 3D mask" in message


def test_two_predictions_with_a_systematic_error_stop_the_run(folders, capsys):
    both = mask()
    both[0, 0, 0] = 4
    for case in CASES[:2]:
        folders.predict(f"{case}.nii.gz", both)
    message = error_message(folders, capsys)
    assert "do not fit the task" in message
    assert all(f"{case}.nii.gz: the mask has" in message for case in CASES[:2])
    assert "brats-glioma-post-treatment" in message


def test_a_reference_with_channels_is_refused_with_a_hint(folders, capsys):
    write_nifti(folders.references / CASES[0] / f"{CASES[0]}-seg.nii.gz", channels(("WT", "TC", "ET")), AFFINE)
    assert "if it has a channel for each region, write one 3D mask instead: 2" in error_message(folders, capsys)


@pytest.mark.parametrize(
    ("case", "task"),
    [("BraTS-GLI-00004-101", "brats-glioma-post-treatment"), ("BraTS-PED-00001-000", "brats-paediatric")],
)
def test_references_with_case_names_of_another_task_are_refused(folders, capsys, case, task):
    write_valid_case(folders.references, case)
    message = error_message(folders, capsys)
    assert (
        f"{case}-seg.nii.gz: this seems to be a case of another task than brats-glioma: its name is {case}" in message
    )
    assert f"set cohort.task: {task}" in message


def test_a_label_map_allows_case_names_of_another_task(folders):
    case = "BraTS-PED-00001-000"
    write_valid_case(folders.references, case)
    folders.predict(f"{case}.nii.gz", mask())
    mapped = load_task().with_label_map({1: 1, 2: 2, 3: 4}).to_json()
    assert (folders.scored(task=mapped)[0]["dice"] == 1).all()
