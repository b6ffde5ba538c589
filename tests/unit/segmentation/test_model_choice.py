"""Which models segment new patients."""

import shutil

import pytest

from tests.support.builders import TASK
from tests.support.model_files import STARTER_SCORES, write_model_file, write_starter
from tumorseg.errors import UserError
from tumorseg.networks import starter
from tumorseg.networks.notices import STARTER_MODEL_WARNING
from tumorseg.segmentation.model_choice import choose_models
from tumorseg.task import load_task


@pytest.fixture
def results(tmp_path, monkeypatch):
    """The folder of the results of a run, in the working directory. The workflow has a tiny starter model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(starter, "MODELS_FOLDER", tmp_path / "workflow/models")
    write_starter(starter.MODELS_FOLDER)
    return tmp_path / "results"


def choose(configured, results, task=TASK, folds=1):
    return choose_models(configured, results, task, folds=folds, train="snakemake verify")


def refusal(*arguments) -> str:
    with pytest.raises(UserError) as caught:
        choose(*arguments)
    return str(caught.value)


def write_own_model(results, name="fold-0.safetensors"):
    (results / "model").mkdir(parents=True, exist_ok=True)
    return str(write_model_file(results / "model" / name))


def test_without_any_model_the_starter_model_is_used_and_a_note_says_what_it_is(results):
    chosen, (note,) = choose(None, results)
    assert chosen == ["starter"]
    assert note.endswith(f"so the starter model is used. {STARTER_MODEL_WARNING}. {STARTER_SCORES}")


def test_an_own_model_comes_first(results):
    own = write_own_model(results)
    assert choose(None, results) == ([own], [])


def test_a_number_of_models_unlike_the_folds_is_noted(results):
    own = [write_own_model(results, f"fold-{fold}.safetensors") for fold in range(2)]
    chosen, (note,) = choose(None, results, TASK, 3)
    assert chosen == own
    assert "has 2 models, but cohort.folds is 3" in note


@pytest.mark.parametrize("folder", ["training", "model"])
def test_after_the_start_of_a_training_the_starter_model_must_be_named(results, folder):
    (results / folder).mkdir(parents=True)
    found = refusal(None, results)
    assert f"a training has begun here ({results / folder} exists); complete it with `snakemake verify`" in found
    assert "segment='{models: starter}'" in found
    assert choose("starter", results) == (["starter"], [])


def test_named_models_are_used_whatever_else_exists(results):
    own = write_own_model(results)
    assert choose("starter", results) == (["starter"], [])
    assert choose([own, "starter"], results) == ([own, "starter"], [])


def test_a_copy_of_the_workflow_without_starter_model_asks_to_train(results):
    shutil.rmtree(starter.MODELS_FOLDER)
    found = refusal(None, results)
    assert "train one, for instance with `snakemake verify`, or set segment.models" in found
    assert "The starter model cannot replace it: /" in found
    assert "this copy of the workflow has no starter model" in found
    assert "segment.models: " in refusal("starter", results)


def test_a_damaged_starter_model_is_refused(results):
    path = starter.model_path("starter")
    path.write_bytes(path.read_bytes()[:-1])
    for configured in (None, "starter"):
        assert "the starter model is damaged" in refusal(configured, results)


def test_the_starter_model_is_refused_for_another_task(results):
    found = refusal(None, results, load_task("brats-glioma-post-treatment"))
    assert "this model is of the task brats-glioma, not brats-glioma-post-treatment" in found


def test_a_missing_file_is_named(results):
    assert refusal(["a.safetensors"], results) == "segment.models: there is no file a.safetensors; correct the path"
