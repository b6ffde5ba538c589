"""A fresh folder segments with the starter model, here a tiny one in a copy of the repository, and trains nothing."""

import shutil

import pandas as pd
import pytest

from tests.integration.workflow import Workflow, copy_repository
from tests.support.builders import model_card
from tests.support.case_files import write_valid_case
from tests.support.model_files import STARTER_SCORES, TINY, write_starter
from tumorseg.networks.notices import STARTER_MODEL_WARNING

pytestmark = pytest.mark.slow

NOTICE = f"{STARTER_MODEL_WARNING}. {STARTER_SCORES}"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = copy_repository(tmp_path_factory.mktemp("starter") / "repository")
    write_starter(folder / "scripts/tumorseg/models", model_card(TINY))
    return folder


@pytest.fixture(scope="module")
def segmented(repository, tmp_path_factory):
    """A folder without a cohort that has segmented a patient. Do not change it; change a copy."""
    run = Workflow(tmp_path_factory.mktemp("fresh") / "run", repository)
    run.configure({"cohort": {"root": "nowhere"}, "demo": None})
    write_valid_case(run.folder / "patients", "P-1")
    completed = run.run("segment", options=("--config", "patients=patients"))
    assert completed.returncode == 0, completed.stdout[-8000:]
    (run.folder / "output.txt").write_text(completed.stdout)
    return run


def refusal(run: Workflow) -> str:
    completed = run.run("segment", options=("--dry-run", "--config", "patients=patients"))
    assert completed.returncode != 0
    assert "Traceback" not in completed.stdout
    return " ".join(completed.stdout.split())


def test_every_output_says_what_the_model_is_and_what_it_scored(segmented):
    output = " ".join((segmented.folder / "output.txt").read_text().split())
    assert f"there is no model in results/model, so the starter model is used. {NOTICE}" in output
    assert f"{NOTICE} (starter)" in output
    row = pd.read_csv(segmented.results / "segmentations/volumes.tsv", sep="\t").iloc[0]
    assert row["segmented"]
    assert row["warnings"].startswith("starter_model")
    assert row["warning_messages"].startswith(NOTICE)
    assert NOTICE in (segmented.results / "segmentations/patients.json").read_text()


def test_nothing_is_trained_and_nothing_runs_again(segmented):
    assert {path.name for path in segmented.results.iterdir()} >= {"segmented", "segmentations"}
    assert not (segmented.results / "model").exists()
    assert not (segmented.results / "training").exists()
    completed = segmented.run("segment", options=("--dry-run", "--config", "patients=patients"))
    assert "Nothing to be done" in completed.stdout


def test_a_begun_training_and_a_damaged_model_are_refused(segmented, repository, tmp_path):
    run = segmented.copy(tmp_path / "run", repository)
    (run.results / "training").mkdir()
    assert "but a training has begun here (results/training exists)" in refusal(run)
    damaged = copy_repository(tmp_path / "repository")
    shutil.copytree(repository / "scripts/tumorseg/models", damaged / "scripts/tumorseg/models", dirs_exist_ok=True)
    model = damaged / "scripts/tumorseg/models/starter.safetensors"
    model.write_bytes(model.read_bytes()[:-1])
    assert "the starter model is damaged" in refusal(segmented.copy(tmp_path / "other", damaged))


def test_a_training_starts_from_the_starter_model_if_the_network_is_the_same(repository, tmp_path):
    run = Workflow(tmp_path / "run", repository)
    run.configure({"training": {"start_from": "starter"}})
    assert run.planned("train")["train_epoch"] == 3
    run.configure({"training": {"start_from": "starter"}, "model": {"base_channels": 4}})
    completed = run.run("train", options=("--dry-run",))
    assert "has another network than the configuration (model.base_channels 2 instead of 4)" in completed.stdout
