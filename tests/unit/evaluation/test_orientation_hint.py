"""Whether a mirrored or transposed copy of a mask would fit far better."""

from itertools import permutations, product

import numpy as np
import pytest

from tumorseg.evaluation.orientation_hint import orientation_hint

LPS = np.diag([-1.0, -1, 1, 1])


def blob(shape=(20, 20, 20)):
    """A tumour without any symmetry, in a corner."""
    volume = np.zeros(shape, np.uint8)
    volume[2:8, 3:6, 1:4] = 2
    volume[2:5, 3:5, 4:6] = 1
    return volume


def hinted(prediction, reference, affine=LPS):
    hint = orientation_hint(np.ascontiguousarray(prediction), reference, affine)
    return hint and hint.change


@pytest.mark.parametrize("flips", [flips for flips in product((1, -1), repeat=3) if flips != (1, 1, 1)])
def test_every_flip_is_found_and_named(flips):
    names = ["left-right", "front-back", "head-feet"]
    flipped = " and ".join(name for name, step in zip(names, flips, strict=True) if step < 0)
    turned = blob((20, 22, 24))[tuple(slice(None, None, step) for step in flips)]
    assert hinted(turned, blob((20, 22, 24))) == f"flipped {flipped}"


def test_flips_are_named_by_the_patient_and_not_by_the_axis():
    assert hinted(blob()[::-1], blob(), LPS[:, [2, 1, 0, 3]]) == "flipped head-feet"


@pytest.mark.parametrize("axes", [axes for axes in permutations(range(3)) if axes != (0, 1, 2)])
@pytest.mark.parametrize("step", [1, -1])
def test_exchanged_axes_are_found_in_a_cube(axes, step):
    back = np.argsort(axes)
    hint = hinted(blob().transpose(axes)[:, ::step], blob())
    words = f"with its axes in the order {', '.join(str(axis + 1) for axis in back)}"
    assert hint.startswith(words)
    assert ("flipped" in hint) == (step < 0)


@pytest.mark.parametrize("shape", [(20, 22, 24), (20, 20, 24)])
def test_only_axes_of_one_length_are_exchanged(shape):
    assert hinted(blob(shape)[::-1, ::-1, ::-1], blob(shape)) == "flipped left-right and front-back and head-feet"


def test_nothing_is_said_of_a_mask_that_fits_or_fits_no_way():
    reference = blob()
    elsewhere = np.zeros_like(reference)
    elsewhere[9:12, 9:12, 9:12] = 1
    assert hinted(reference, reference) is None
    assert hinted(elsewhere, reference) is None
    assert hinted(np.zeros_like(reference), reference) is None
    assert hinted(np.ones_like(reference), reference) is None
    assert hinted(np.zeros_like(reference), np.zeros_like(reference)) is None


def test_nothing_is_said_where_a_flip_fits_better_but_not_far_better():
    """A tumour that crosses the midline and is a little asymmetric."""
    reference = np.zeros((20, 20, 20), np.uint8)
    reference[6:13, 5:9, 5:9] = 1
    assert hinted(reference[::-1], reference) is None
