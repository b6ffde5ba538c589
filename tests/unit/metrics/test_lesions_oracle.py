"""Lesion-wise scores of random masks against a literal implementation of the challenge's algorithm."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import hypothesis_settings
from tests.support.random_masks import embed_in_grid, lesion_pair, seeds, spacings
from tests.support.reference_metrics import challenge_lesions
from tumorseg.metrics.lesions import lesion_scores

OFFSETS = st.tuples(st.integers(0, 22), st.integers(0, 26), st.integers(0, 30))


def scores(masks, spacing_mm):
    return astuple(lesion_scores(*masks, spacing_mm))


@hypothesis_settings(150)
@given(seed=seeds, spacing_mm=spacings)
def test_scores_equal_the_challenges(seed, spacing_mm):
    masks = lesion_pair(seed)
    assert scores(masks, spacing_mm) == pytest.approx(challenge_lesions(*masks, spacing_mm), rel=1e-9)


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings)
def test_scores_of_single_voxels_equal_the_challenges(seed, spacing_mm):
    rng = np.random.default_rng(seed)
    masks = [mask | (rng.random(mask.shape) < 0.002) for mask in lesion_pair(seed)]
    assert scores(masks, spacing_mm) == pytest.approx(challenge_lesions(*masks, spacing_mm), rel=1e-9)


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings, axis=st.integers(0, 2))
def test_a_flip_changes_nothing(seed, spacing_mm, axis):
    masks = lesion_pair(seed)
    flipped = [np.flip(mask, axis) for mask in masks]
    assert scores(flipped, spacing_mm) == pytest.approx(scores(masks, spacing_mm), rel=1e-12)


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings, offset=OFFSETS)
def test_a_shift_in_a_larger_volume_changes_nothing(seed, spacing_mm, offset):
    masks = lesion_pair(seed)
    shifted = [embed_in_grid(mask, offset, (50, 50, 50)) for mask in masks]
    assert scores(shifted, spacing_mm) == pytest.approx(scores(masks, spacing_mm), rel=1e-12)


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings)
def test_another_false_component_never_improves_a_score(seed, spacing_mm):
    reference, prediction = (embed_in_grid(mask, (0, 0, 0)) for mask in lesion_pair(seed))
    worse = prediction.copy()
    worse[36:39, 36:39, 36:39] = True
    before, after = (lesion_scores(reference, mask, spacing_mm) for mask in (prediction, worse))
    assert after.false == before.false + 1
    assert after.dice <= before.dice
    assert after.hd95_mm >= before.hd95_mm


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings)
def test_a_perfect_prediction_is_perfect(seed, spacing_mm):
    reference, _ = lesion_pair(seed)
    found = lesion_scores(reference, reference.copy(), spacing_mm)
    assert (found.dice, found.hd95_mm, found.missed, found.false) == (1, 0, 0, 0)
