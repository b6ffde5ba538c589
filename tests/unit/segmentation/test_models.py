"""A model is used for its own task alone; a refusal names both tasks and says what to do."""

from dataclasses import replace

import pytest

from tests.support.builders import TASK, architecture, model_card
from tumorseg.errors import UserError
from tumorseg.inference.held_out import read_fold_model
from tumorseg.io.files import sha256, write_json
from tumorseg.networks.model import write_model
from tumorseg.networks.registry import build
from tumorseg.segmentation.models import read_models
from tumorseg.task import load_task

AFTER_TREATMENT = load_task("brats-glioma-post-treatment")
MAPPED = TASK.with_label_map({1: 2, 2: 1, 3: 4})


def written(path, task):
    built = architecture(task=task)
    write_model(path, build(built), model_card(built, task))
    return path


def test_segment_refuses_a_model_of_another_task(tmp_path):
    model = written(tmp_path / "a", AFTER_TREATMENT)
    with pytest.raises(UserError) as refusal:
        read_models([model], TASK)
    assert str(refusal.value) == (
        f"{model}: this model is of the task brats-glioma-post-treatment, not brats-glioma (its labels are 1, 2, 3, 4 "
        "instead of 1, 2, 4): set cohort.task to brats-glioma-post-treatment, or use a model of the task brats-glioma"
    )


def test_a_task_of_the_user_is_named_by_its_file(tmp_path):
    model = written(tmp_path / "a", replace(AFTER_TREATMENT, name="mine"))
    with pytest.raises(UserError, match=r"set cohort\.task to the file of the model's task, or use"):
        read_models([model], TASK)


@pytest.mark.parametrize("task", [MAPPED, replace(TASK, name="mine", title="In other words")])
def test_how_masks_are_read_and_what_a_task_is_called_do_not_matter_to_new_patients(tmp_path, task):
    (network,), (card,) = read_models([written(tmp_path / "a", task)], TASK)
    assert (network.architecture.channels, card.task) == (4, task)


def test_models_of_two_tasks_have_no_mean(tmp_path):
    models = [written(tmp_path / "a", TASK), written(tmp_path / "b", MAPPED)]
    with pytest.raises(UserError, match=r"b is of the task brats-glioma, not brats-glioma \(its conventions are"):
        read_models(models, TASK)


@pytest.mark.parametrize("other", [AFTER_TREATMENT, MAPPED])
def test_a_fold_s_model_of_another_task_is_refused(tmp_path, other):
    model, selection = written(tmp_path / "a", other), tmp_path / "selection.json"
    write_json(selection, {"fold": 0, "digest": sha256(model)})
    with pytest.raises(UserError, match=f"of the task {other.name}, not brats-glioma .*; delete it and .*run again"):
        read_fold_model(model, selection, 0, task=TASK)
    assert read_fold_model(model, selection, 0, task=other)[1].task == other
