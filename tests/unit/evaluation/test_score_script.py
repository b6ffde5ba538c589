import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import score
from tests.support.case_files import AFFINE, mask, nifti_content, write_valid_case
from tests.support.score_folders import SETTINGS, Folders
from tumorseg.io.nifti import write_nifti
from tumorseg.metrics.registry import columns, metrics

CASES = [f"BraTS-GLI-0000{number}-000" for number in (1, 2, 3)]


@pytest.fixture
def folders(tmp_path):
    for case in CASES:
        write_valid_case(tmp_path / "references", case)
    found = Folders(tmp_path)
    for case in CASES:
        found.predict(f"{case}.nii.gz", mask())
    return found


def error_message(folders: Folders, capsys, *names: str) -> str:
    """Return what a failing run prints."""
    with pytest.raises(SystemExit, match="1"):
        folders.score(*(names or ["predictions"]))
    assert not (folders.root / "scores").exists()
    return capsys.readouterr().err


def assert_missed(folders: Folders, reason: str):
    """Check that only the first case counts as missed, for this reason."""
    table, summary = folders.scored()
    assert [found["case"] for found in summary["unusable"]] == CASES[:1]
    assert reason in summary["unusable"][0]["reason"]
    assert_worst(table.loc[CASES[0]])
    assert (table.loc[CASES[1:], "dice"] == 1).all()


def assert_worst(scores: pd.DataFrame):
    for metric in metrics():
        if metric.worst is not None:
            assert (scores[metric.name] == metric.worst).all()


def test_equal_masks_have_perfect_scores_and_no_fold(folders):
    table, summary = folders.scored()
    assert list(table.reset_index().columns) == ["case", "region", "fold", *columns()]
    assert set(table["fold"]) == {-1}
    assert (table["dice"] == 1).all()
    assert (summary["references"], summary["cases"]) == (3, 3)
    empty_keys = ("missing", "unusable", "without_reference", "notes", "reference_notes", "hints")
    assert [summary[key] for key in empty_keys] == [[]] * 6


def test_a_case_without_a_prediction_counts_as_missed(folders, capsys):
    folders.predict(f"{CASES[0]}.nii.gz", mask()).unlink()
    table, summary = folders.scored()
    assert_worst(table.loc[CASES[0]])
    assert summary["missing"] == CASES[:1]
    assert summary["structures"]["WT"]["scores"]["dice"]["mean"] == pytest.approx(2 / 3)
    assert f"without a prediction, counted as missed: {CASES[0]}" in capsys.readouterr().err


def test_a_prediction_without_a_reference_is_listed_and_not_scored(folders, capsys):
    folders.predict("more/BraTS-GLI-00004-000.nii.gz", mask())
    table, summary = folders.scored()
    assert set(table.index.get_level_values("case")) == set(CASES)
    assert summary["without_reference"] == ["more/BraTS-GLI-00004-000.nii.gz"]
    assert "without a reference, not scored: more/BraTS-GLI-00004-000.nii.gz" in capsys.readouterr().err


def test_a_corrupted_prediction_counts_as_missed(folders, capsys):
    path = folders.predict(f"{CASES[0]}.nii.gz", mask())
    path.write_bytes(path.read_bytes()[:-20])
    assert_missed(folders, "stops in the middle; copy or download the file again")
    assert f"{path}: " in capsys.readouterr().err


def test_a_prediction_on_a_grid_of_another_shape_counts_as_missed(folders):
    folders.predict(f"{CASES[0]}.nii.gz", mask(shape=(10, 11, 13)))
    assert_missed(folders, "the mask is 10x11x13, its reference 10x11x12; resample it")


def test_a_prediction_with_another_affine_counts_as_missed(folders):
    folders.predict(f"{CASES[0]}.nii.gz", mask(), AFFINE + 0.5 * np.eye(4, k=3))
    assert_missed(folders, "the affine differs from its reference's by up to 0.5")


def test_a_rounded_affine_is_accepted(folders):
    folders.predict(f"{CASES[0]}.nii.gz", mask(), AFFINE + 5e-4 * np.eye(4, k=3))
    assert folders.scored()[1]["unusable"] == []


@pytest.mark.parametrize(
    ("value", "reason"), [(5, "other values (5)"), (0.5, "other values (0.5)"), (np.nan, "NaN or infinite")]
)
def test_a_prediction_with_other_labels_counts_as_missed(folders, value, reason):
    volume = mask().astype(np.float32)
    volume[0, 0, 0] = value
    folders.predict(f"{CASES[0]}.nii.gz", volume)
    assert_missed(folders, reason)


def test_a_prediction_with_both_3_and_4_counts_as_missed(folders):
    volume = mask(3)
    volume[0, 0, 0] = 4
    folders.predict(f"{CASES[0]}.nii.gz", volume)
    assert_missed(folders, "the mask has both 3 and 4")


def test_a_prediction_that_is_not_three_dimensional_counts_as_missed(folders):
    folders.predict(f"{CASES[0]}.nii.gz", np.stack([mask()] * 2, axis=-1))
    assert_missed(folders, "neither a 3D mask nor one channel per region (WT, TC, ET)")


def test_references_with_3_and_real_predictions_with_4_are_compared(folders):
    for case in CASES:
        folders.predict(f"{case}.nii.gz", mask(4).astype(np.float32))
    assert (folders.scored()[0]["dice"] == 1).all()


def test_scores_use_the_spacing_of_the_reference(folders):
    for case in CASES:
        write_nifti(folders.references / case / f"{case}-seg.nii.gz", mask(), np.diag([2.0, 2, 2, 1]))
        folders.predict(f"{case}.nii.gz", mask(), np.diag([2.0, 2, 2, 1]))
    assert set(folders.scored()[0].loc[(slice(None), "ET"), "reference_mm3"]) == {4 * 8.0}


def test_masks_match_by_brats_case_or_by_stem(folders):
    for case in CASES:
        (folders.root / f"predictions/{case}.nii.gz").rename(folders.root / f"predictions/{case.lower()}_pred.nii.gz")
    write_nifti(folders.references / "BraTS2021_00001_seg.nii.gz", mask(), AFFINE)
    folders.predict("ensemble-BraTS2021_00001.nii.gz", mask())
    write_nifti(folders.references / "case 7_seg.nii.gz", mask(), AFFINE)
    folders.predict("case 7.nii.gz", mask())
    table, summary = folders.scored()
    assert set(table.index.get_level_values("case")) == {*CASES, "BraTS2021_00001", "case 7"}
    assert (table["dice"] == 1).all()
    assert [summary[key] for key in ("missing", "without_reference")] == [[], []]


def test_all_invalid_references_are_reported_at_once(folders, capsys):
    first, second = (folders.references / case / f"{case}-seg.nii.gz" for case in CASES[:2])
    first.write_bytes(b"")
    second.write_bytes(nifti_content(mask() * np.uint8(2)))
    message = error_message(folders, capsys)
    assert "score.references: repair or remove the invalid masks below" in message
    assert f"{CASES[0]}/{first.name}: the file is empty" in message
    assert f"{CASES[1]}/{second.name}: " in message
    assert "other values (6)" in message


def test_two_predictions_of_one_case_are_refused(folders, capsys):
    folders.predict(f"{CASES[0]}_again.nii.gz", mask())
    assert f"{CASES[0]}.nii.gz and {CASES[0]}_again.nii.gz below" in error_message(folders, capsys)


def test_a_folder_without_masks_is_refused(folders, capsys):
    (folders.root / "empty").mkdir()
    assert "score: score.predictions: no mask was found below" in error_message(folders, capsys, "empty")


def test_folders_that_do_not_match_are_refused(folders, capsys):
    folders.predict("BraTS2021_00001.nii.gz", mask(), folder="others")
    assert "(cases BraTS2021_00001) has its reference below" in error_message(folders, capsys, "others")


def test_several_folders_are_scored_and_compared(folders, capsys):
    folders.predict(f"{CASES[0]}.nii.gz", np.zeros_like(mask()))
    folders.predict(f"{CASES[0]}.nii.gz", mask(), folder="others")
    folders.predict(f"{CASES[1]}.nii.gz", mask(), folder="others")
    folders.score("predictions", "others")
    scores = folders.root / "scores"
    assert json.loads((scores / "others/summary.json").read_text())["missing"] == CASES[2:]
    comparison = json.loads((scores / "comparison.json").read_text())
    assert (comparison["baseline"], comparison["cases"]) == ("predictions", 3)
    dice = comparison["structures"]["WT"]["dice"]
    assert dice["means"] == pytest.approx({"predictions": 2 / 3, "others": 2 / 3})
    assert [dice["differences"]["others"][key] for key in ("better", "equal", "worse")] == [1, 1, 1]
    assert len(pd.read_csv(scores / "comparison.csv")) == len(comparison["structures"]) * len(
        comparison["structures"]["WT"]
    )
    message = capsys.readouterr().err
    assert f"score: Scores: {scores / 'comparison.json'}" in message


def test_the_output_ends_with_the_mean_scores_and_the_path_of_the_result(folders, capsys):
    folders.predict(f"{CASES[0]}.nii.gz", mask()).unlink()
    folders.score("predictions")
    *_, wt, tc, et, last_line = capsys.readouterr().err.splitlines()
    assert wt.split() == ["score:", "predictions", "3", "1", "0", "WT", "0.667", "124.7", "0.667", "124.7"]
    assert (tc.split()[5], et.split()[5]) == ("TC", "ET")
    assert last_line == f"score: Scores: {folders.root / 'scores/summary.json'}"


def test_results_do_not_depend_on_the_number_of_processes(folders, tmp_path):
    folders.scored()
    expected = (tmp_path / "scores/cases.csv").read_bytes()
    arguments = ["--references", tmp_path / "references", "--predictions", tmp_path / "predictions", "--processes", 2]
    arguments += [
        "--task",
        "brats-glioma",
        "--settings",
        json.dumps(SETTINGS),
        "--scores",
        tmp_path / "2.csv",
        "--summaries",
        tmp_path / "2.json",
    ]
    score.main([str(argument) for argument in arguments])
    assert (tmp_path / "2.csv").read_bytes() == expected
    assert (tmp_path / "2.json").read_bytes() == (tmp_path / "scores/summary.json").read_bytes()


def test_scores_of_folders_from_an_earlier_run_are_deleted(folders):
    def remaining() -> list[str]:
        root = folders.root / "scores"
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))

    folders.predict(f"{CASES[0]}.nii.gz", mask(), folder="others")
    folders.score("predictions")
    assert remaining() == ["cases.csv", "summary.json"]
    (folders.root / "scores/notes.txt").write_text("mine")
    folders.score("predictions", "others")
    tables = [f"{folder}/{file}" for folder in ("others", "predictions") for file in ("cases.csv", "summary.json")]
    assert remaining() == sorted(["comparison.csv", "comparison.json", "notes.txt", "others", "predictions", *tables])
    folders.score("others")
    assert remaining() == ["cases.csv", "notes.txt", "summary.json"]
    summary = json.loads((folders.root / "scores/summary.json").read_text())
    assert Path(summary["predictions"]).name == "others"
