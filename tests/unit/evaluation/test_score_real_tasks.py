"""Real masks of other tasks, scored by the rule score. Skipped without the data."""

import shutil

import nibabel
import numpy as np
import pytest

from tests.support.case_files import real_data
from tests.support.score_folders import Folders

CASE = "BraTS-GLI-00046-101"


def real_masks(name: str):
    """Return a folder of real masks."""
    folder = real_data().parent / name
    if not folder.is_dir():
        pytest.skip(f"the real masks of {name} are not here")
    return folder


@pytest.fixture
def post_treatment(tmp_path):
    """A real post-treatment mask with a resection cavity, as reference and as prediction."""
    for folder in ("references", "predictions"):
        (tmp_path / folder).mkdir()
        shutil.copy(real_masks("gli2024") / f"{CASE}-seg.nii.gz", tmp_path / folder / f"{CASE}.nii.gz")
    return Folders(tmp_path)


def dice(table):
    return table["dice"].droplevel("case").to_dict()


@pytest.mark.parametrize("labels", ["auto", "mixed", "brats2021", "brats2023"])
def test_the_default_task_refuses_a_post_treatment_mask_and_names_its_task(post_treatment, labels, capsys):
    with pytest.raises(SystemExit, match="1"):
        post_treatment.score("predictions", labels=labels)
    message = capsys.readouterr().err
    assert f"its name is {CASE}, and its grid is 182x218x182, and its mask has the values 1, 2, 3, 4" in message
    assert "set cohort.task: brats-glioma-post-treatment" in message


def test_a_post_treatment_mask_equals_itself_in_every_structure(post_treatment):
    table, summary = post_treatment.scored(task="brats-glioma-post-treatment")
    assert set(dice(table)) == {"WT", "TC", "ET", "RC", *(f"label_{label}" for label in (1, 2, 3, 4))}
    assert (table["dice"] == 1).all()
    assert (summary["hints"], summary["notes"], summary["reference_notes"]) == ([], [], [])


def test_exchanged_enhancing_tumour_and_cavity_give_a_hint_with_the_label_map(post_treatment):
    path = post_treatment.root / "predictions" / f"{CASE}.nii.gz"
    image = nibabel.load(path)
    mask = np.asarray(image.dataobj).astype(np.uint8)
    exchanged = np.array([0, 1, 2, 4, 3], np.uint8)[mask]
    nibabel.save(nibabel.Nifti1Image(exchanged, image.affine), path)
    table, summary = post_treatment.scored(task="brats-glioma-post-treatment")
    counts = np.bincount(mask.ravel(), minlength=5).tolist()
    _, necrosis, oedema, enhancing, cavity = counts
    scores = dice(table)
    assert (scores["ET"], scores["RC"], scores["label_1"], scores["label_2"]) == (0, 0, 1, 1)
    assert scores["TC"] == pytest.approx(2 * necrosis / (2 * necrosis + enhancing + cavity))
    unchanged = necrosis + oedema
    assert scores["WT"] == pytest.approx(2 * unchanged / (2 * unchanged + enhancing + cavity))
    (hint,) = summary["hints"]
    assert hint["label_map"] == {"1": 1, "2": 2, "3": 4, "4": 3}
    table, _ = post_treatment.scored(task="brats-glioma-post-treatment", label_maps=[hint["label_map"]])
    assert (table["dice"] == 1).all()


@pytest.fixture
def metastases(tmp_path):
    """Two real cases of metastases, with predictions."""
    for file in real_masks("official2026").glob("*.nii.gz"):
        folder = tmp_path / ("references" if "-seg" in file.name else "predictions")
        folder.mkdir(exist_ok=True)
        shutil.copy(file, folder)
    return Folders(tmp_path)


def test_metastases_are_scored_by_their_task(metastases):
    table, summary = metastases.scored(task="brats-metastases")
    assert [summary[key] for key in ("missing", "unusable", "hints")] == [[], [], []]
    for case in ("BraTS-MET-00132-000", "BraTS-MET-00630-001"):
        reference, prediction = (
            np.asarray(nibabel.load(metastases.root / folder / f"{case}-{end}.nii.gz").dataobj)
            for folder, end in (("references", "seg"), ("predictions", "pred"))
        )
        for region, labels in {"WT": (1, 2, 3), "TC": (1, 3), "ET": (3,), "RC": (4,)}.items():
            expected_mask, predicted_mask = np.isin(reference, labels), np.isin(prediction, labels)
            total = int(expected_mask.sum() + predicted_mask.sum())
            expected = 2 * int((expected_mask & predicted_mask).sum()) / total if total else 1
            assert table.loc[(case, region), "dice"] == pytest.approx(expected)


def test_the_default_task_refuses_metastases(metastases, capsys):
    with pytest.raises(SystemExit, match="1"):
        metastases.score("predictions")
    assert "set cohort.task: brats-metastases" in capsys.readouterr().err
