"""Cases without an optional image are trained on and scored, and patients without an image are segmented."""

import shutil

import pandas as pd
import pytest

from tests.integration.workflow import TINY, Workflow, edit
from tests.support.builders import REPOSITORY, TASK
from tumorseg.io.digests import sha256
from tumorseg.networks.model_header import read_header
from tumorseg.networks.subset_scores import read_subset_scores

pytestmark = pytest.mark.release

TRAINED, HELD_OUT = "BraTS-GLI-90001-000", "BraTS-GLI-90002-000"
"""Cases without T2."""
PATIENT = "BraTS-GLI-90003-000"
CONFIGURATION = {
    "cohort": {**TINY["cohort"], "task": "own.yaml", "split_file": "split.tsv"},
    "demo": None,
    # Enough patches for each subset, see MIN_EXPECTED_PATCHES.
    "training": {**TINY["training"], "channel_dropout": 0.5, "steps_per_epoch": 60},
    "evaluation": {**TINY["evaluation"], "leave_out_modalities": True},
    "segment": {"cases": "patients"},
}


@pytest.fixture(scope="module")
def run(finished, tmp_path_factory):
    """A finished run in which T2 is optional, and two cases lack it. Do not change it; change a copy."""
    run = Workflow(tmp_path_factory.mktemp("fewer") / "run")
    run.configure(CONFIGURATION)
    shutil.copytree(finished.folder / "cohort", run.folder / "cohort")
    shutil.copy(REPOSITORY / "workflow/tasks/brats-glioma.yaml", run.folder / "own.yaml")
    edit(run.folder / "own.yaml", "files: [t2w, t2]}", "files: [t2w, t2], optional: true}")
    splits = pd.read_csv(finished.results / "cohort/splits.tsv", sep="\t")
    splits["fold"] = [0 if case == HELD_OUT else -1 for case in splits["case"]]
    splits.to_csv(run.folder / "split.tsv", sep="\t", index=False)
    for case in (TRAINED, HELD_OUT):
        (run.folder / f"cohort/{case}/{case}-t2w.nii.gz").unlink()
    shutil.copytree(run.folder / "cohort" / PATIENT, run.folder / "patients" / PATIENT)
    (run.folder / f"patients/{PATIENT}/{PATIENT}-t2f.nii.gz").unlink()
    run.succeed()
    return run


def test_cases_without_the_optional_image_are_used_with_a_warning(run):
    manifest = pd.read_csv(run.results / "cohort/manifest.tsv", sep="\t", index_col="case").loc[[TRAINED, HELD_OUT]]
    assert manifest["usable"].all()
    assert manifest["warnings"].str.startswith("optional_channel_missing").all()
    assert set(manifest["channels"]) == {"t1,t1ce,flair"}


def test_the_model_knows_what_it_was_trained_for(run):
    training = read_header(run.results / "model/fold-0.safetensors").trained_on
    assert training.channel_dropout == 0.5
    assert training.channel_sets == (TASK.channel_names, ("t1", "t1ce", "flair"))
    assert sum(training.set_patches) == pytest.approx(3 * 60 * 2, abs=0.01)


def test_scores_and_the_report_say_which_images_a_case_has(run):
    assert set(pd.read_csv(run.results / "evaluation/cases.csv")["channels"]) == {"t1,t1ce,flair"}
    assert "without T2" in (run.results / "report.html").read_text()


def test_the_held_out_case_is_scored_with_the_subsets_that_it_has(run):
    summary = pd.read_csv(run.results / "evaluation/channel_subsets.csv")
    assert summary["channels"].tolist() == ["t1,t1ce,flair", "t1,t1ce", "t1,flair", "t1ce,flair", "t1", "t1ce", "flair"]
    assert summary["trained"].all()
    model = run.results / "model/fold-0.safetensors"
    scores = read_subset_scores(run.results / "model/fold-0.subsets.json", sha256(model), TASK)
    assert [",".join(score.channels) for score in scores.subsets] == summary["channels"].tolist()


def test_a_patient_without_an_image_is_segmented_with_what_is_known_of_the_dice(run, tmp_path):
    run = run.copy(tmp_path / "run")
    output = " ".join(run.succeed("segment").split())
    assert f"WARNING: {PATIENT}: FLAIR is missing" in output
    assert run.planned("segment") == {}
    (run.folder / f"patients/{PATIENT}/{PATIENT}-t2w.nii.gz").unlink()
    output = " ".join(run.succeed("segment").split())
    assert (
        "T2 and FLAIR are missing: the mask is made from T1 and T1CE alone. Expected Dice, the mean of 1 case" in output
    )
    row = pd.read_csv(run.results / "segmentations/volumes.tsv", sep="\t").iloc[0]
    assert (row["channels"], row["warnings"], row["segmented"]) == ("t1,t1ce", "fewer_channels", True)
    (run.results / "model/fold-0.subsets.json").unlink()
    assert run.planned("segment") == {"segment_batch": 1, "segment": 1}
