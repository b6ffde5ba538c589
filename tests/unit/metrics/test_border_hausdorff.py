import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from tests.support.builders import hypothesis_settings
from tests.support.random_masks import blob_pair, embed_in_grid, seeds, spacings
from tumorseg.metrics.border_hausdorff import border_hausdorff95


def hausdorff95_by_distance_maps(reference, prediction, spacing_mm):
    """HD95 by its definition, over the whole grid."""
    borders = [mask & ~ndimage.binary_erosion(mask) for mask in (reference, prediction)]
    maps = [ndimage.distance_transform_edt(~border, sampling=spacing_mm) for border in borders]
    return max(np.percentile(maps[1][borders[0]], 95), np.percentile(maps[0][borders[1]], 95))


@hypothesis_settings(300)
@given(seed=seeds, spacing_mm=spacings)
def test_equals_the_percentile_of_distance_maps(seed, spacing_mm):
    masks = blob_pair(seed)
    assert border_hausdorff95(*masks, spacing_mm) == pytest.approx(
        hausdorff95_by_distance_maps(*masks, spacing_mm), rel=1e-9
    )


@pytest.mark.filterwarnings("ignore")
def test_equals_monai():
    metrics = pytest.importorskip("monai.metrics")
    torch = pytest.importorskip("torch")
    for seed in range(60):
        masks = blob_pair(seed)
        reference, prediction = (torch.from_numpy(mask)[None, None].float() for mask in masks)
        expected = metrics.compute_hausdorff_distance(prediction, reference, include_background=True, percentile=95)
        assert border_hausdorff95(*masks, (1.0, 1.0, 1.0)) == pytest.approx(expected.item(), rel=1e-5)


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings)
def test_reference_and_prediction_can_be_swapped(seed, spacing_mm):
    one, other = blob_pair(seed)
    assert border_hausdorff95(one, other, spacing_mm) == border_hausdorff95(other, one, spacing_mm)


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings, axis=st.integers(0, 2), offset=st.tuples(*[st.integers(0, 26)] * 3))
def test_a_flip_and_a_shift_change_nothing(seed, spacing_mm, axis, offset):
    masks = blob_pair(seed)
    moved = [embed_in_grid(np.flip(mask, axis), offset) for mask in masks]
    assert border_hausdorff95(*moved, spacing_mm) == pytest.approx(border_hausdorff95(*masks, spacing_mm), rel=1e-12)


@hypothesis_settings(20)
@given(seed=seeds, spacing_mm=spacings)
def test_equal_masks_have_distance_0(seed, spacing_mm):
    mask, _ = blob_pair(seed)
    assert border_hausdorff95(mask, mask.copy(), spacing_mm) == 0


def test_the_distance_is_between_the_centres_of_voxels():
    one, other = np.zeros((9, 9, 9), bool), np.zeros((9, 9, 9), bool)
    one[1, 1, 1] = other[4, 3, 1] = True
    assert border_hausdorff95(one, other, (1.0, 2.0, 1.0)) == 5


def test_the_edge_of_the_grid_is_a_border():
    full, centre = np.ones((9, 9, 9), bool), np.zeros((9, 9, 9), bool)
    centre[4, 4, 4] = True
    assert border_hausdorff95(full, centre, (1.0, 1.0, 1.0)) > 4
