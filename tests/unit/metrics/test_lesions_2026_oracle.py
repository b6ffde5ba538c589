"""Scores of BraTS 2025 and 2026 of random masks against a literal implementation, and of the package's own examples."""

import math
from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.builders import hypothesis_settings
from tests.support.case_files import challenge_cases_2026
from tests.support.random_masks import embed_in_grid, lesion_pair, seeds, spacings
from tests.support.reference_metrics import challenge_lesions_2026, nsd_and_hd95
from tumorseg.evaluation.masks import MaskReadOptions, read_predicted_mask, read_reference
from tumorseg.metrics.lesions_2026 import lesion_scores_2026
from tumorseg.metrics.structure_scores_2026 import case_scores_2026
from tumorseg.task import load_task

METASTASES = load_task("brats-metastases")
COLUMNS = {
    "all_instance_tp": "lesions_found_2026",
    "all_instance_fp": "lesions_false_2026",
    "all_instance_fn": "lesions_missed_2026",
    "all_instance_f1": "lesion_f1_2026",
    "small_instance_tp": "small_found_2026",
    "small_instance_fp": "small_false_2026",
    "small_instance_fn": "small_missed_2026",
    "small_instance_f1": "small_f1_2026",
    **{
        f"lesionwise_{theirs}_{statistic}": f"large_{ours}{suffix}_2026"
        for theirs, ours in (("dsc", "dice"), ("nsd", "nsd"), ("hd95", "hd95"))
        for statistic, suffix in (("mean", ""), ("std", "_std"))
    },
}
"""Our column for each column of the package's table, without the region."""


def test_the_examples_of_the_package_have_its_values():
    root = challenge_cases_2026()
    expected = pd.read_csv(root / "expected.csv")
    compared = 0
    for row in expected.to_dict("records"):
        case = row.pop("subject_id").removesuffix("-seg.nii.gz")
        options = MaskReadOptions(METASTASES)
        reference = read_reference(root / f"{case}-seg.nii.gz", case, options)
        prediction = read_predicted_mask(root / f"{case}-pred.nii.gz", case, reference, options.for_predictions(None))
        scores = case_scores_2026(reference.labels, prediction.labels, reference.spacing_mm, task=METASTASES)
        for column, value in row.items():
            name, region = column.rsplit("_", 1)
            found = scores[region.upper()][COLUMNS[name]]
            assert found == pytest.approx(value, abs=1e-6, nan_ok=True), (case, column)
            compared += 1
    assert compared >= 112


def numbers(scores) -> tuple[float, ...]:
    pairs = astuple(scores.pairs) if scores.lesions.found else ()
    return (*astuple(scores.lesions), *pairs)


def noise(masks, seed: int):
    """Return masks with single voxels added, which make many lesions and components of the same size."""
    rng = np.random.default_rng(seed)
    return [mask | (rng.random(mask.shape) < 0.001) for mask in masks]


@pytest.mark.parametrize("noisy", [False, True])
@hypothesis_settings(100)
@given(seed=seeds, spacing_mm=spacings)
def test_the_scores_are_those_of_a_best_matching(noisy, seed, spacing_mm):
    masks = lesion_pair(seed)
    if noisy:
        masks = noise(masks, seed)
    assume(all(mask.any() for mask in masks))
    found = numbers(lesion_scores_2026(*masks, spacing_mm, exchange_edges=False))
    expected = challenge_lesions_2026(*masks, spacing_mm)
    assert any(found == pytest.approx(one, rel=1e-9, abs=1e-12) for one in expected)


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings)
def test_exchanged_edges_are_those_of_transposed_masks(seed, spacing_mm):
    masks = lesion_pair(seed)
    transposed = [np.ascontiguousarray(mask.T) for mask in masks]
    found = lesion_scores_2026(*masks, spacing_mm)
    assert str(found) == str(lesion_scores_2026(*transposed, spacing_mm, exchange_edges=False))


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings)
def test_global_scores_equal_those_of_distance_maps_in_voxels(seed, spacing_mm):
    reference, prediction = lesion_pair(seed)
    whole = lesion_scores_2026(reference, prediction, spacing_mm).whole
    if not (reference & prediction).any():
        assert (whole.hd95_voxels == 373) or math.isnan(whole.hd95_voxels)
    else:
        expected = nsd_and_hd95(reference, prediction, (1, 1, 1), 0.5)
        assert (whole.nsd, whole.hd95_voxels) == pytest.approx(expected, rel=1e-9)


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings, offset=st.tuples(*[st.integers(0, 12)] * 3))
def test_a_shift_in_a_larger_volume_changes_nothing(seed, spacing_mm, offset):
    masks = lesion_pair(seed)
    shifted = [embed_in_grid(mask, offset) for mask in masks]
    unshifted = [embed_in_grid(mask, (0, 0, 0)) for mask in masks]
    assert str(lesion_scores_2026(*shifted, spacing_mm)) == str(lesion_scores_2026(*unshifted, spacing_mm))


@pytest.mark.filterwarnings("ignore")
def test_scores_equal_panopticas():
    benchmark = pytest.importorskip("tests.benchmarks.challenge_2026", exc_type=ImportError)
    assert benchmark.largest_difference(range(40)) < 1e-9
