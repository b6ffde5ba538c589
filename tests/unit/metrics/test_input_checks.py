"""Arrays that `case_scores` accepts from user code, and arrays that it refuses."""

import numpy as np
import pytest

from tests.support.builders import TASK
from tumorseg.metrics.structure_scores import case_scores

MASK = np.zeros((8, 9, 10), np.uint8)
MASK[2:6, 2:6, 2:6] = 2
MASK[3:5, 3:5, 3:5] = 4
OTHER = np.roll(MASK, 1, axis=0)


def scores(reference=MASK, prediction=OTHER, spacing_mm=(1, 1, 2), tolerance_mm=1):
    return case_scores(reference, prediction, spacing_mm, task=TASK, surface_tolerance_mm=tolerance_mm)


def with_value(value, dtype):
    mask = OTHER.astype(dtype)
    mask[0, 0, 0] = value
    return mask


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint16", "float32", ">f8"])
def test_labels_of_any_type_have_the_same_scores(dtype):
    found, confusion = scores(MASK.astype(dtype), OTHER.astype(dtype))
    expected, expected_confusion = scores()
    assert found == expected
    assert np.array_equal(confusion, expected_confusion)


@pytest.mark.parametrize("spacing_mm", [[1, 1, 2], np.array([1, 1, 2], np.float32), (1.0, 1.0, 2.0)])
def test_a_spacing_may_be_any_three_numbers(spacing_mm):
    assert scores(spacing_mm=spacing_mm)[0] == scores()[0]


@pytest.mark.parametrize(
    ("value", "dtype"),
    # -1 over label 1 once counted as a pair of background and enhancing tumour.
    [(-1, int), (260, int), (258, np.uint16), (0.5, float), (np.nan, float), (np.inf, float), (-3e9, float)],
)
def test_a_value_that_is_not_a_label_is_refused(value, dtype):
    with pytest.raises(ValueError, match=r"prediction: the value \S+ is not a label; labels are integers"):
        scores(prediction=with_value(value, dtype))


def test_a_value_that_the_task_lacks_is_refused():
    with pytest.raises(ValueError, match="the value 3, which is not a label of the task brats-glioma"):
        scores(prediction=with_value(3, int))


@pytest.mark.parametrize("mask", [MASK > 0, MASK.astype(str), MASK.astype(complex), MASK.astype(object)])
def test_an_array_of_other_types_is_refused(mask):
    with pytest.raises(ValueError, match=r"reference: an array of type .* has no labels; pass integers"):
        scores(mask)


@pytest.mark.parametrize("mask", [MASK[0], MASK[None], np.stack([MASK, MASK], axis=-1), MASK[:0, 0]])
def test_an_array_without_three_axes_is_refused(mask):
    with pytest.raises(ValueError, match=r"prediction: a mask must have three axes, but the shape is \("):
        scores(prediction=mask)


@pytest.mark.parametrize("spacing_mm", [(1, 1), (1, 1, 1, 1), 1, (0, 1, 1), (-1, 1, 1), (1, 1, np.nan), (1, 1, np.inf)])
def test_an_invalid_spacing_is_refused(spacing_mm):
    with pytest.raises(ValueError, match=r"spacing_mm: .* must be three positive voxel edges in mm"):
        scores(spacing_mm=spacing_mm)


@pytest.mark.parametrize("tolerance_mm", [-1, np.nan, np.inf])
def test_an_invalid_tolerance_is_refused(tolerance_mm):
    with pytest.raises(ValueError, match=r"surface_tolerance_mm: .* must be a distance"):
        scores(tolerance_mm=tolerance_mm)
