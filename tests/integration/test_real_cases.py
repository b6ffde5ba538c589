"""Real cases at full size, from raw files to the report, with a tiny network and a few steps."""

import json

import nibabel
import pandas as pd
import pytest

from tests.integration.workflow import Workflow
from tests.support.case_files import real_data

pytestmark = pytest.mark.slow

CASES = ("BraTS2021_00006", "BraTS2021_01482", "BraTS2021_01485")


def test_a_run_on_real_cases(tmp_path):
    real = real_data()
    workflow = Workflow(tmp_path / "run")
    workflow.configure(
        {
            "demo": None,
            "cohort": {"validation_fraction": 0.34, "shape": [240, 240, 155]},
            "normalisation": {"margin_voxels": 4},
            "training": {"epochs": 1, "input_shape": [64, 64, 64], "steps_per_epoch": 2},
        }
    )
    for case in CASES:
        (workflow.folder / "cohort").mkdir(exist_ok=True)
        (workflow.folder / "cohort" / case).symlink_to(real / case)
    workflow.succeed()
    manifest = pd.read_csv(workflow.results / "cohort/manifest.tsv", sep="\t", index_col="case")
    assert manifest["usable"].all()
    assert (manifest["convention"] == "brats2021").all()
    assert "saturated_intensities" in manifest.loc["BraTS2021_01482", "warnings"]
    (path,) = workflow.results.glob("predictions/fold-0/*.nii.gz")
    assert nibabel.load(path).shape == (240, 240, 155)
    summary = json.loads((workflow.results / "evaluation/summary.json").read_text())
    assert summary["structures"]["WT"]["scores"]["dice"]["n"] == 1
    assert (workflow.results / "report.html").stat().st_size > 10_000
