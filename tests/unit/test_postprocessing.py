import numpy as np
import pytest

from tumorseg.inference.postprocessing import postprocess
from tumorseg.inference.settings import PostprocessingSettings

NOTHING = {"remove_components": {"WT": 0, "TC": 0, "ET": 0}, "smallest_enhancing": 0, "fill_holes": False}


def after(mask, voxel_mm3: float = 1.0, **changes):
    return postprocess(mask, voxel_mm3, PostprocessingSettings(**{**NOTHING, **changes}))


def removing(**smallest: float):
    return {"remove_components": {"WT": 0, "TC": 0, "ET": 0, **smallest}}


def tumour() -> np.ndarray:
    """Oedema of 4x4x4 around core of 2x2x2 with one enhancing voxel, and a stray oedema of two voxels far off."""
    mask = np.zeros((12, 12, 12), np.uint8)
    mask[1:5, 1:5, 1:5] = 2
    mask[2:4, 2:4, 2:4] = 1
    mask[2, 2, 2] = 4
    mask[9, 9, 9:11] = 2
    return mask


def test_nothing_is_done_unless_asked():
    mask, changed = after(tumour())
    np.testing.assert_array_equal(mask, tumour())
    assert set(changed.values()) == {0}


def test_the_mask_that_is_given_stays_as_it_is():
    mask = tumour()
    after(mask, **removing(WT=1000))
    np.testing.assert_array_equal(mask, tumour())


@pytest.mark.parametrize(("smallest", "voxel_mm3", "removed"), [(2, 1, 0), (3, 1, 2), (3, 2, 0), (5, 2, 2)])
def test_pieces_below_a_volume_are_removed(smallest, voxel_mm3, removed):
    mask, changed = after(tumour(), voxel_mm3, **removing(WT=smallest))
    assert changed["removed_from_WT"] == removed
    assert (mask[9, 9, 9:11] == (0 if removed else 2)).all()
    assert np.count_nonzero(mask[:6]) == 64


def test_a_small_piece_of_core_becomes_oedema():
    mask, changed = after(tumour(), **removing(TC=9))
    assert changed["removed_from_TC"] == 8
    assert (mask[2:4, 2:4, 2:4] == 2).all()


def test_a_small_piece_of_enhancing_tumour_becomes_core():
    mask, changed = after(tumour(), **removing(ET=2))
    assert changed["removed_from_ET"] == 1
    assert mask[2, 2, 2] == 1


def test_pieces_that_touch_at_a_corner_are_one():
    mask = np.zeros((6, 6, 6), np.uint8)
    mask[1, 1, 1] = mask[2, 2, 2] = 2
    assert after(mask, **removing(WT=2))[1]["removed_from_WT"] == 0


@pytest.mark.parametrize(("smallest", "label"), [(1, 4), (1.5, 1)])
def test_too_little_enhancing_tumour_becomes_core(smallest, label):
    mask, changed = after(tumour(), smallest_enhancing=smallest)
    assert mask[2, 2, 2] == label
    assert changed["enhancing_made_core"] == (label == 1)


def test_holes_are_filled_with_what_encloses_them():
    mask = np.zeros((12, 12, 12), np.uint8)
    mask[1:4, 1:4, 1:4] = 4
    mask[2, 2, 2] = 0
    mask[6:11, 6:11, 6:11] = 2
    mask[8, 8, 8] = 0
    mask[6, 6, 6] = 0  # open to the outside
    filled, changed = after(mask, fill_holes=True)
    assert (filled[2, 2, 2], filled[8, 8, 8], filled[6, 6, 6]) == (1, 2, 0)
    assert changed["filled"] == 2
