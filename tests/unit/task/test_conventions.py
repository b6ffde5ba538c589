"""Conversion between values on disk and canonical labels."""

import numpy as np
import pytest

from tests.support.case_files import TASK
from tumorseg.cohort.mask_checks import canonical_labels, label_problem, read_labels
from tumorseg.task import built_in_tasks, load_task
from tumorseg.task.conventions import detect_convention, from_canonical, to_canonical

MAPPED = TASK.with_label_map({10: 1, 20: 2, 30: 4, 40: 0})


def load_own_task(tmp_path, conventions: str):
    text = (load_task.__globals__["TASKS_FOLDER"] / "brats-africa.yaml").read_text()
    path = tmp_path / "own.yaml"
    path.write_text(f"{text}conventions: {conventions}\n")
    return load_task(str(path))


@pytest.mark.parametrize(
    ("values", "convention"), [([0, 1, 2, 4], "brats2021"), ([3], "brats2023"), ([0, 1, 2], None), ([0], None)]
)
def test_values_show_the_convention(values, convention):
    assert detect_convention(values, TASK) == convention


def test_every_mask_of_a_task_with_one_convention_has_that_convention():
    assert detect_convention([0], load_task("brats-africa")) == "task"
    assert detect_convention([10], MAPPED) == "label_map"


@pytest.mark.parametrize("values", [[3, 4], [5]])
def test_values_outside_every_convention_are_an_error(values):
    with pytest.raises(ValueError, match="no convention has the values"):
        detect_convention(values, TASK)


def test_the_setting_decides_between_ambiguous_conventions(tmp_path):
    task = load_own_task(tmp_path, "{site: {}, nnunet: {1: 2, 2: 1}}")
    with pytest.raises(ValueError, match="fit site, nnunet"):
        detect_convention([1, 2], task)
    assert detect_convention([1, 2], task, "nnunet") == "nnunet"
    labels = read_labels(np.array([1, 2], np.uint8))
    assert (
        "mean one thing in site and another in nnunet; set cohort.labels"
        in label_problem(labels, "m", task, "auto").message
    )
    assert label_problem(labels, "m", task, "nnunet") is None


@pytest.mark.parametrize("name", built_in_tasks())
def test_labels_are_equal_after_a_round_trip_to_disk_values(name):
    task = load_task(name)
    labels = np.array([0, *task.label_values], np.uint8)
    for convention in task.conventions:
        np.testing.assert_array_equal(to_canonical(from_canonical(labels, task, convention), task, convention), labels)


def test_an_unknown_value_is_an_error():
    with pytest.raises(ValueError, match="value 3"):
        to_canonical(np.array([0, 3], np.uint8), TASK, "brats2021")


def test_values_that_a_label_map_makes_background_are_left_out():
    labels = canonical_labels(read_labels(np.array([0, 10, 40, 30, 30], np.uint8)), MAPPED, "label_map")
    assert (labels.where.tolist(), labels.values.tolist(), labels.counts) == ([1, 3, 4], [1, 4, 4], {0: 2, 1: 1, 4: 2})


def test_a_value_outside_a_label_map_is_reported_with_the_known_values():
    problem = label_problem(read_labels(np.array([10, 50], np.uint8)), "m", MAPPED, "auto")
    assert problem.code == "bad_label"
    assert "1 voxels of the mask have other values (50) than the label map has (0, 10, 20, 30, 40)" in problem.message


def test_values_of_other_tasks_are_reported_with_these_tasks():
    message = label_problem(read_labels(np.array([1, 2, 3, 4], np.uint8)), "m", TASK, "auto").message
    assert "the mask has both 3 and 4, but a mask has 0, 1, 2 and either 4 (brats2021) or 3 (brats2023)" in message
    assert "brats-glioma-post-treatment, brats-metastases, brats-paediatric: set cohort.task" in message


def test_a_mask_in_another_convention_than_configured_is_refused():
    problem = label_problem(read_labels(np.array([1, 3], np.uint8)), "m", TASK, "brats2021")
    assert "written as in brats2023, but cohort.labels is brats2021" in problem.message


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, ">f8"])
def test_integers_up_to_255_are_read_from_any_type(dtype):
    labels = read_labels(np.array([0, 1, 200, 255], dtype))
    assert (labels.values.tolist(), labels.others) == ([1, 200, 255], 0)


def test_values_outside_0_to_255_are_not_labels():
    labels = read_labels(np.array([1, 256, -1], np.int16))
    assert (labels.others, labels.examples, labels.values.size) == (2, [-1, 256], 0)
