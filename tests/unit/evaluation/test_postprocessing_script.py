"""The command line of the rule postprocessing, on four small cases in two folds."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

import postprocessing
from tests.support.builders import TASK, record_predictions
from tests.support.case_files import AFFINE, mask, write_valid_case
from tests.support.validated_cohorts import validate_cohort
from tumorseg.cohort.splits import FoldAssignment, write_splits
from tumorseg.cohort.validation_result import write_validation_results
from tumorseg.io.nifti import write_nifti
from tumorseg.metrics.registry import metric

CASES = [f"BraTS-GLI-0000{number}-000" for number in range(4)]
SETTINGS = {
    "postprocessing": {"remove_components_mm3": [5], "min_enhancing_mm3": [], "fill_holes": False},
    "evaluation": {"confidence": 0.9, "bootstrap_samples": 100, "seed": 1},
}


@pytest.fixture
def arguments(tmp_path):
    """Return arguments for predictions that equal the references but for two false voxels of oedema."""
    for number, case in enumerate(CASES):
        write_valid_case(tmp_path / "cohort", case, seed=number)
        predicted = mask()
        predicted[2, 8, 8:10] = 2
        write_nifti(tmp_path / f"predictions/fold-{number % 2}/{case}.nii.gz", predicted, AFFINE)
    folders = [record_predictions(tmp_path / f"predictions/fold-{fold}", fold) for fold in (0, 1)]
    write_validation_results(tmp_path / "results.json", validate_cohort(tmp_path / "cohort", TASK))
    write_splits(tmp_path / "splits.tsv", [FoldAssignment(case, case, number % 2) for number, case in enumerate(CASES)])
    paths = {"root": "cohort", "validation-results": "results.json", "splits": "splits.tsv"}
    paths |= {"candidates": "candidates.csv", "gains": "gains.csv", "choice": "choice.yaml"}
    options = [part for option, name in paths.items() for part in (f"--{option}", str(tmp_path / name))]
    options += ["--predictions", *map(str, folders), "--settings", json.dumps(SETTINGS), "--task", "brats-glioma"]
    return options


def test_the_best_settings_are_chosen_and_their_gain_is_written(arguments, tmp_path, capsys):
    postprocessing.main(arguments)
    choice = yaml.safe_load((tmp_path / "choice.yaml").read_text())["prediction"]
    assert choice == {
        "remove_components": {"WT": 5, "TC": 0, "ET": 0},
        "min_enhancing_mm3": 0,
        "fill_holes": False,
    }
    candidates = pd.read_csv(tmp_path / "candidates.csv")
    assert candidates.set_index("remove_WT").query("chosen_for == '0, 1, all'").index.tolist() == [5]
    gains = pd.read_csv(tmp_path / "gains.csv").set_index(["region", "score"])
    voxels = np.count_nonzero(mask())
    assert gains.loc[("WT", "dice"), "gain"] == pytest.approx(1 - 2 * voxels / (2 * voxels + 2))
    assert gains.loc[("WT", "lesionwise_dice"), "after"] == metric("lesionwise_dice").best
    assert gains.loc[("TC", "dice"), ["gain", "better", "worse"]].tolist() == [0, 0, 0]
    printed = capsys.readouterr().err
    assert "chosen on all folds but 1, for its cases: remove_components: {WT: 5}" in printed
    assert "prediction:" in printed
    assert "case 4/4" in printed


def test_the_number_of_processes_changes_nothing(arguments, tmp_path):
    written = []
    for processes in ("1", "2"):
        postprocessing.main([*arguments, "--processes", processes])
        written.append([(tmp_path / name).read_bytes() for name in ("candidates.csv", "gains.csv", "choice.yaml")])
    assert written[0] == written[1]


def test_a_changed_prediction_is_refused(arguments, tmp_path, capsys):
    write_nifti(tmp_path / f"predictions/fold-0/{CASES[0]}.nii.gz", mask(), AFFINE)
    with pytest.raises(SystemExit):
        postprocessing.main(arguments)
    assert "was replaced or edited after the prediction" in capsys.readouterr().err
