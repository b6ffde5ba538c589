"""What models say about held-out cases is compared with the truth, and `segment` derives from it what to trust."""

import json
import shutil

import pandas as pd
import pytest

from tests.integration.workflow import TINY, Workflow
from tests.support.builders import TASK
from tumorseg.io.digests import sha256
from tumorseg.networks.held_out_quality import read_held_out_cases

pytestmark = pytest.mark.release

PATIENT = "BraTS-GLI-90001-000"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A cross-validation with its reliability, and a new patient. Do not change it; change a copy."""
    run = Workflow(tmp_path_factory.mktemp("reliability") / "run")
    run.configure(
        {
            "cohort": {**TINY["cohort"], "folds": 2, "shards": 1},
            "demo": {**TINY["demo"], "cases": 18},
            "training": {**TINY["training"], "epochs": 1},
            "segment": {"cases": "patients"},
        }
    )
    run.succeed("reliability")
    shutil.copytree(run.folder / "cohort" / PATIENT, run.folder / "patients" / PATIENT)
    return run


def test_every_held_out_case_is_compared_with_what_was_expected_of_it(run):
    table = pd.read_csv(run.results / "evaluation/reliability.csv", dtype={"covered": str})
    scores = pd.read_csv(run.results / "evaluation/cases.csv")
    both = table.merge(scores, on=["case", "fold", "region"], suffixes=("", "_scored"))
    assert len(both) == len(table) == len(scores)
    assert both["dice"].tolist() == both["dice_scored"].tolist()
    assert (table["low_mm3"] <= table["high_mm3"]).all()
    assert set(table["covered"]) <= {"true", "false"}
    record = json.loads((run.results / "predictions/fold-0.json").read_text())["cases"]
    first = table[table["fold"] == 0].iloc[0]
    assert record[first["case"]]["quality"][0][first["region"]]["soft_dice"] == pytest.approx(first["soft_dice"])
    splits = pd.read_csv(run.results / "cohort/splits.tsv", sep="\t")
    assert (
        json.loads((run.results / "evaluation/reliability.json").read_text())["patients"] == splits["patient"].nunique()
    )


def test_a_new_patient_gets_intervals_until_a_file_beside_a_model_is_missing(run, tmp_path):
    run = run.copy(tmp_path / "run")
    splits = pd.read_csv(run.results / "cohort/splits.tsv", sep="\t")
    for fold in range(2):
        model = run.results / f"model/fold-{fold}.safetensors"
        held_out = read_held_out_cases(model.with_suffix(".reliability.json"), sha256(model), TASK)
        assert len(held_out.cases) == (splits["fold"] == fold).sum()
    assert "no intervals" not in run.succeed("segment")
    row = pd.read_csv(run.results / "segmentations/volumes.tsv", sep="\t").iloc[0]
    assert row["WT_mm3_low"] <= row["WT_mm3"] <= row["WT_mm3_high"]
    assert run.planned("segment") == {}
    (run.results / "model/fold-1.reliability.json").unlink()
    output = " ".join(run.succeed("segment").split())
    assert "no intervals of the volumes of 1 patient: there is no file results/model/fold-1.reliability.json" in output
    assert pd.isna(pd.read_csv(run.results / "segmentations/volumes.tsv", sep="\t").iloc[0]["WT_mm3_low"])
