"""Hints on masks that would fit far better flipped or with permuted axes."""

from itertools import permutations, product

import numpy as np
import pytest

from tumorseg.evaluation.orientation_hint import orientation_hint

LPS = np.diag([-1.0, -1, 1, 1])


def blob(shape=(20, 20, 20)):
    """Return an asymmetric tumour in a corner."""
    volume = np.zeros(shape, np.uint8)
    volume[2:8, 3:6, 1:4] = 2
    volume[2:5, 3:5, 4:6] = 1
    return volume


def hint_change(reference, prediction, affine=LPS):
    hint = orientation_hint(reference, np.ascontiguousarray(prediction), affine)
    return hint and hint.change


@pytest.mark.parametrize("flips", [flips for flips in product((1, -1), repeat=3) if flips != (1, 1, 1)])
def test_every_flip_is_found_and_named(flips):
    names = ["left-right", "front-back", "head-feet"]
    flipped = " and ".join(name for name, step in zip(names, flips, strict=True) if step < 0)
    reoriented = blob((20, 22, 24))[tuple(slice(None, None, step) for step in flips)]
    assert hint_change(blob((20, 22, 24)), reoriented) == f"flipped {flipped}"


def test_flips_are_named_by_the_patient_and_not_by_the_axis():
    assert hint_change(blob(), blob()[::-1], LPS[:, [2, 1, 0, 3]]) == "flipped head-feet"


@pytest.mark.parametrize("axes", [axes for axes in permutations(range(3)) if axes != (0, 1, 2)])
@pytest.mark.parametrize("step", [1, -1])
def test_permuted_axes_are_found_in_a_cube(axes, step):
    inverse = np.argsort(axes)
    hint = hint_change(blob(), blob().transpose(axes)[:, ::step])
    expected = f"with its axes in the order {', '.join(str(axis + 1) for axis in inverse)}"
    assert hint.startswith(expected)
    assert ("flipped" in hint) == (step < 0)


@pytest.mark.parametrize("shape", [(20, 22, 24), (20, 20, 24)])
def test_only_axes_of_equal_length_are_permuted(shape):
    assert hint_change(blob(shape), blob(shape)[::-1, ::-1, ::-1]) == "flipped left-right and front-back and head-feet"


def test_a_mask_that_fits_or_cannot_fit_gives_no_hint():
    reference = blob()
    elsewhere = np.zeros_like(reference)
    elsewhere[9:12, 9:12, 9:12] = 1
    assert hint_change(reference, reference) is None
    assert hint_change(reference, elsewhere) is None
    assert hint_change(reference, np.zeros_like(reference)) is None
    assert hint_change(reference, np.ones_like(reference)) is None
    assert hint_change(np.zeros_like(reference), np.zeros_like(reference)) is None


def test_a_flip_that_fits_only_slightly_better_gives_no_hint():
    """A tumour that crosses the midline and is a little asymmetric."""
    reference = np.zeros((20, 20, 20), np.uint8)
    reference[6:13, 5:9, 5:9] = 1
    assert hint_change(reference, reference[::-1]) is None
