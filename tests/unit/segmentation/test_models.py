"""Models are used for their own task only, with a message that names both tasks; facts of several are merged."""

from dataclasses import replace

import pytest

from tests.support.builders import TASK, architecture, model_card, trained_on
from tumorseg.errors import UserError
from tumorseg.inference.held_out import read_fold_model
from tumorseg.io.digests import sha256
from tumorseg.io.files import write_json
from tumorseg.networks.factory import build
from tumorseg.networks.model import write_model
from tumorseg.networks.training_facts import Range
from tumorseg.segmentation.models import merge_training_facts, read_models
from tumorseg.task import load_task

POST_TREATMENT = load_task("brats-glioma-post-treatment")
MAPPED = TASK.with_label_map({1: 2, 2: 1, 3: 4})


def write_task_model(path, task):
    network_architecture = architecture(task=task)
    write_model(path, build(network_architecture), model_card(network_architecture, task))
    return path


def test_segment_refuses_a_model_of_another_task(tmp_path):
    model = write_task_model(tmp_path / "a", POST_TREATMENT)
    with pytest.raises(UserError) as caught:
        read_models([model], TASK)
    assert str(caught.value) == (
        f"{model}: this model is of the task brats-glioma-post-treatment, not brats-glioma (its labels are 1, 2, 3, 4 "
        "instead of 1, 2, 4): set cohort.task to brats-glioma-post-treatment, or use a model of the task brats-glioma"
    )


def test_the_message_names_the_file_of_a_users_task(tmp_path):
    model = write_task_model(tmp_path / "a", replace(POST_TREATMENT, name="mine"))
    with pytest.raises(UserError, match=r"set cohort\.task to the file of the model's task, or use"):
        read_models([model], TASK)


@pytest.mark.parametrize("task", [MAPPED, replace(TASK, name="mine", title="In other words")])
def test_label_maps_and_names_of_tasks_do_not_matter_for_new_patients(tmp_path, task):
    (network,), (card,) = read_models([write_task_model(tmp_path / "a", task)], TASK)
    assert (network.architecture.channels, card.task) == (4, task)


def test_models_may_differ_in_which_channels_are_optional(tmp_path):
    models = [write_task_model(tmp_path / "a", TASK), write_task_model(tmp_path / "b", TASK.with_optional_channels())]
    assert len(read_models(models, TASK)[0]) == 2


def test_models_of_two_tasks_are_refused(tmp_path):
    models = [write_task_model(tmp_path / "a", TASK), write_task_model(tmp_path / "b", MAPPED)]
    with pytest.raises(UserError, match=r"b is of the task brats-glioma, not brats-glioma \(its conventions are"):
        read_models(models, TASK)


@pytest.mark.parametrize("other", [POST_TREATMENT, MAPPED])
def test_a_model_of_a_fold_with_another_task_is_refused(tmp_path, other):
    model, selection = write_task_model(tmp_path / "a", other), tmp_path / "selection.json"
    write_json(selection, {"fold": 0, "digest": sha256(model)})
    with pytest.raises(UserError, match=f"of the task {other.name}, not brats-glioma .*; delete it and .*run again"):
        read_fold_model(model, selection, 0, task=TASK)
    assert read_fold_model(model, selection, 0, task=other)[1].task == other


def test_the_facts_of_several_models_are_merged_to_the_widest_ranges():
    one, other = trained_on((1, 1, 1)), trained_on((1.05, 1, 1), demo=True)
    both = merge_training_facts([one, other])
    assert both.demo
    assert both.spacing_mm[0] == Range(1, 1.025, 1.05)
    assert both.intensities["t2"] == one.intensities["t2"]
    assert merge_training_facts([one]) == one
