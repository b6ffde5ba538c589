"""Scores of tasks other than the default one."""

import nibabel
import numpy as np
import pytest

from tests.support.case_files import real_data
from tumorseg.metrics.calibration import case_reliability
from tumorseg.metrics.structure_scores import case_scores
from tumorseg.task import Task, built_in_tasks, load_task

POST_TREATMENT = load_task("brats-glioma-post-treatment")


def dice(reference: np.ndarray, prediction: np.ndarray, task: Task) -> dict[str, float]:
    found, _ = case_scores(reference, prediction, (1.0, 1.0, 1.0), task=task, surface_tolerance_mm=1)
    return {structure: scores["dice"] for structure, scores in found.items()}


def expected_dice(reference: np.ndarray, prediction: np.ndarray, task: Task) -> dict[str, float]:
    """Compute the Dice from boolean masks."""
    found = {}
    for structure, labels in task.structures.items():
        marked, predicted = np.isin(reference, labels), np.isin(prediction, labels)
        total = int(marked.sum() + predicted.sum())
        found[structure] = 2 * int((marked & predicted).sum()) / total if total else 1.0
    return found


@pytest.fixture(scope="module")
def post_treatment_mask() -> np.ndarray:
    """The labels of a real mask with a resection cavity."""
    path = real_data().parent / "gli2024/BraTS-GLI-00046-101-seg.nii.gz"
    if not path.exists():
        pytest.skip("the real mask after treatment is not here")
    return np.asarray(nibabel.load(path).dataobj).astype(np.uint8)


def test_a_real_post_treatment_mask_equals_itself(post_treatment_mask):
    found = dice(post_treatment_mask, post_treatment_mask, POST_TREATMENT)
    assert list(found) == ["WT", "TC", "ET", "RC", "label_1", "label_2", "label_3", "label_4"]
    assert set(found.values()) == {1.0}


def test_a_cavity_is_neither_enhancing_tumour_nor_whole_tumour(post_treatment_mask):
    exchanged = np.array([0, 1, 2, 4, 3], np.uint8)[post_treatment_mask]
    found = dice(post_treatment_mask, exchanged, POST_TREATMENT)
    assert found == pytest.approx(expected_dice(post_treatment_mask, exchanged, POST_TREATMENT))
    assert {region: found[region] for region in ("WT", "TC", "ET", "RC")} == pytest.approx(
        {"WT": 0.8, "TC": 0.2203, "ET": 0, "RC": 0}, abs=1e-4
    )


@pytest.mark.parametrize("name", built_in_tasks())
def test_each_task_is_scored_by_its_own_structures(name):
    task = load_task(name)
    rng = np.random.default_rng(3)
    reference, prediction = rng.choice(np.array([0, *task.label_values], np.uint8), size=(2, 8, 8, 8))
    assert dice(reference, prediction, task) == pytest.approx(expected_dice(reference, prediction, task))


def test_calibration_is_by_the_regions_of_the_task():
    task = load_task("brats-meningioma-radiotherapy")
    probabilities = np.array([[[[0.25]]], [[[0.75]]]], np.float32)
    found = case_reliability(np.ones((1, 1, 1), np.uint8), probabilities, np.ones((1, 1, 1), bool), task)
    assert {region: (curve.probability.sum(), curve.true.sum()) for region, curve in found.items()} == {
        "GTV": (0.75, 1),
        "label": (0.75, 1),
    }
