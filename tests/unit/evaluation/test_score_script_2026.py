"""The script `score` with the scores of BraTS 2025 and 2026."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.support.case_files import mask, write_valid_case
from tests.support.score_folders import Folders
from tumorseg.io.nifti import write_nifti
from tumorseg.metrics.records_2026 import METRICS_2026, columns_2026

CASES = [f"BraTS-GLI-0000{number}-000" for number in (1, 2, 3)]


@pytest.fixture
def folders(tmp_path):
    for case in CASES:
        write_valid_case(tmp_path / "references", case)
    found = Folders(tmp_path)
    for case in CASES:
        found.predict(f"{case}.nii.gz", mask())
    return found


def scored(folders: Folders, folder: str = ".") -> tuple[pd.DataFrame, dict]:
    root = folders.root / "scores" / folder
    table = pd.read_csv(root / "cases_2026.csv", index_col=["case", "region"])
    return table, json.loads((root / "summary_2026.json").read_text())


def test_equal_masks_have_perfect_scores(folders, capsys):
    folders.score("predictions", challenge_2026=True)
    table, summary = scored(folders)
    assert list(table.reset_index().columns) == ["case", "region", "fold", *columns_2026()]
    assert (table["lesion_f1_2026"] == 1).all()
    assert summary["structures"]["WT"]["scores"]["global_dice_2026"]["mean"] == 1
    assert (summary["cases"], summary["task"], summary["missing"]) == (3, "brats-glioma", [])
    error = capsys.readouterr().err
    assert "as in BraTS 2025 and 2026, means over the cases with a value:" in error
    assert "Lesion F1  Dice of pairs  NSD of pairs  HD95 of pairs, mm" in error
    assert "voxel edges" not in error


def test_the_scores_of_2023_are_the_same_with_and_without_them(folders):
    folders.score("predictions")
    table, summary = folders.scored()
    assert not (folders.root / "scores/cases_2026.csv").exists()
    folders.score("predictions", challenge_2026=True)
    again = pd.read_csv(folders.root / "scores/cases.csv", index_col=["case", "region"])
    pd.testing.assert_frame_equal(again, table, check_exact=True)
    assert json.loads((folders.root / "scores/summary.json").read_text()) == summary


def test_a_case_without_a_prediction_gets_the_worst_scores(folders):
    (folders.root / "predictions" / f"{CASES[0]}.nii.gz").unlink()
    folders.score("predictions", challenge_2026=True)
    table, summary = scored(folders)
    for metric in METRICS_2026:
        assert (table.loc[CASES[0], metric.name] == metric.worst).all()
    assert summary["missing"] == CASES[:1]
    assert summary["structures"]["WT"]["scores"]["lesion_dice_2026"]["mean"] == pytest.approx(2 / 3)


def test_each_of_several_folders_has_its_table(folders):
    for case in CASES:
        folders.predict(f"{case}.nii.gz", np.zeros_like(mask()), folder="empty")
    folders.score("predictions", "empty", challenge_2026=True)
    assert (scored(folders, "predictions")[0]["lesion_f1_2026"] == 1).all()
    assert (scored(folders, "empty")[0]["lesion_f1_2026"] == 0).all()


def test_a_later_run_without_them_deletes_them(folders):
    folders.score("predictions", challenge_2026=True)
    folders.score("predictions")
    assert not [*(folders.root / "scores").glob("*_2026.*")]


def test_different_edges_along_x_and_z_are_reported(folders, capsys):
    flat = np.diag([1.0, 1.0, 3.0, 1.0])
    path = next((folders.root / "references" / CASES[1]).glob("*seg*"))
    write_nifti(path, mask(), flat)
    folders.predict(f"{CASES[1]}.nii.gz", mask(), flat)
    folders.score("predictions", challenge_2026=True)
    assert scored(folders)[1]["exchanged_edges"] == [CASES[1]]
    assert f"the voxel edges along X and Z differ in 1 of 3 cases, first {CASES[1]}" in capsys.readouterr().err
