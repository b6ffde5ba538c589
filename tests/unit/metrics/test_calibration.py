import numpy as np
import pytest

from tumorseg.metrics.calibration import BINS, Reliability, case_reliability
from tumorseg.plotting.reliability import reliability_diagrams
from tumorseg.task import load_task

TASK = load_task()


def draw_outcomes(probabilities: np.ndarray, seed: int = 0) -> np.ndarray:
    """Draw outcomes that come true with these probabilities."""
    return np.random.default_rng(seed).random(probabilities.shape) < probabilities


def test_calibrated_probabilities_have_no_error():
    probabilities = np.random.default_rng(1).random(200_000).astype(np.float32)
    assert Reliability.from_predictions(probabilities, draw_outcomes(probabilities)).expected_calibration_error < 0.01


def test_the_error_is_the_difference_between_probability_and_outcome():
    probabilities = np.full(1000, 0.9, np.float32)
    came_true = np.arange(1000) < 600
    assert Reliability.from_predictions(probabilities, came_true).expected_calibration_error == pytest.approx(
        0.3, abs=1e-6
    )


def test_errors_of_bins_do_not_cancel():
    probabilities = np.repeat(np.array([0.2, 0.8], np.float32), 100)
    came_true = np.repeat([True, False], 100)
    assert Reliability.from_predictions(probabilities, came_true).expected_calibration_error == pytest.approx(
        0.8, abs=1e-6
    )


def test_cases_add_up():
    probabilities = np.random.default_rng(1).random(100).astype(np.float32)
    came_true = draw_outcomes(probabilities)
    halves = Reliability.from_predictions(probabilities[:50], came_true[:50]) + Reliability.from_predictions(
        probabilities[50:], came_true[50:]
    )
    whole = Reliability.from_predictions(probabilities, came_true)
    assert halves.expected_calibration_error == pytest.approx(whole.expected_calibration_error)
    assert sum(part["voxels"] for part in halves.as_dict()["bins"]) == 100


def test_probability_1_is_in_the_last_bin_and_empty_bins_are_left_out():
    (only,) = Reliability.from_predictions(np.ones(3, np.float32), np.ones(3, bool)).as_dict()["bins"]
    assert (only["low"], only["high"], only["voxels"], only["observed"]) == ((BINS - 1) / BINS, 1, 3, 1)


def test_a_region_is_the_sum_of_its_labels_and_only_the_brain_counts():
    probabilities = np.zeros((5, 2, 1, 1), np.float32)
    probabilities[[0, 1, 4], 0, 0, 0] = 0.2, 0.3, 0.5
    probabilities[0, 1] = 1
    reference = np.array([[[4]], [[0]]], np.uint8)
    found = case_reliability(reference, probabilities, np.array([[[True]], [[False]]]), TASK)
    assert {name: float(curve.probability.sum()) for name, curve in found.items()} == pytest.approx(
        {"WT": 0.8, "TC": 0.8, "ET": 0.5, "label": 0.5}
    )
    assert {name: int(curve.true.sum()) for name, curve in found.items()} == {"WT": 1, "TC": 1, "ET": 1, "label": 1}


def test_the_diagram_has_a_point_for_each_bin_with_voxels():
    probabilities = np.array([0.05, 0.5, 0.95], np.float32)
    curve = Reliability.from_predictions(probabilities, np.array([False, True, True])).as_dict()
    figure = reliability_diagrams(dict.fromkeys(("WT", "TC", "ET", "label"), curve), TASK)
    upper = figure.axes[0]
    points = [len(line.get_xdata()) for line in upper.lines if line.get_marker() == "o"]
    assert points == [0, 3]  # all three bins have few voxels
    assert len(figure.axes[4].patches) == 3
