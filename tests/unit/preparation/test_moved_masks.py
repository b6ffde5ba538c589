"""Masks of labelled cases on the grid of the atlas."""

import numpy as np
import pytest

from tests.support.heads import rigid
from tumorseg.preparation.moved_masks import move_mask
from tumorseg.preparation.sampling import Image, VoxelGrid

SHAPE = (40, 40, 40)
ATLAS = VoxelGrid(SHAPE, np.eye(4))


def turned() -> np.ndarray:
    """Return a rotation about the middle of the grid."""
    matrix = rigid(25, (0, 0, 0))
    matrix[:3, 3] = 20 - matrix[:3, :3] @ [20, 20, 20]
    return matrix


def mask_with(**labels) -> Image:
    """Return a mask in which each label, such as `label_4`, marks the voxels of a slice."""
    voxels = np.zeros(SHAPE, np.uint8)
    for label, where in labels.items():
        voxels[where] = int(label.removeprefix("label_"))
    return Image(voxels, np.eye(4))


BALL = np.s_[10:26, 12:24, 14:30]


def test_on_an_equal_grid_the_mask_does_not_change():
    mask = mask_with(label_2=BALL, label_1=np.s_[15:18, 15:18, 15:18])
    moved = move_mask(mask, ATLAS, np.eye(4))
    assert (moved.labels == mask.array).all()
    assert moved.before_ml == moved.after_ml == {1: 0.027, 2: 16 * 12 * 16 / 1000 - 0.027}
    assert moved.changed_volumes() == {}


def test_an_empty_mask_stays_empty():
    moved = move_mask(mask_with(), ATLAS, turned())
    assert not moved.labels.any()
    assert (moved.before_ml, moved.smaller_than_voxel, moved.outside) == ({}, (), ())


@pytest.mark.parametrize(
    "thin", [np.s_[20, 20, 20], np.s_[14:22, 20, 20], np.s_[12, 14:22, 16:28]], ids=["voxel", "line", "sheet"]
)
@pytest.mark.parametrize("around", [True, False])
def test_a_label_of_a_voxel_or_more_is_never_lost(thin, around):
    mask = mask_with(**({"label_2": BALL} if around else {}), label_4=thin)
    moved = move_mask(mask, ATLAS, turned())
    assert set(np.unique(moved.labels)) == set(np.unique(mask.array))
    assert moved.smaller_than_voxel == moved.outside == ()


def test_a_label_that_interpolation_loses_keeps_its_volume():
    between = np.eye(4)
    between[1:3, 3] = 0.5  # each voxel covers a quarter of four voxels of the atlas
    moved = move_mask(mask_with(label_4=np.s_[14:22, 20, 20]), ATLAS, between)
    assert moved.kept == (4,)
    assert moved.after_ml == moved.before_ml == {4: 0.008}


def test_a_label_smaller_than_a_voxel_of_the_atlas_is_reported():
    fine = Image(mask_with(label_1=np.s_[20, 20, 20]).array, np.diag([0.5, 0.5, 0.5, 1]))
    moved = move_mask(fine, ATLAS, np.eye(4))
    assert moved.smaller_than_voxel == (1,)
    assert moved.after_ml == {1: 0}


def test_a_label_outside_the_atlas_is_reported():
    far = np.eye(4)
    far[0, 3] = 100
    assert move_mask(mask_with(label_2=BALL), ATLAS, far).outside == (2,)


def test_a_label_that_is_cut_off_has_changed_its_volume():
    half = np.eye(4)
    half[0, 3] = 18
    changes = move_mask(mask_with(label_2=BALL), ATLAS, half).changed_volumes()
    assert changes == {2: pytest.approx(-0.5)}


def test_thick_slices_become_a_mask_without_holes_and_of_the_same_volume():
    thick = Image(np.zeros((40, 40, 8), np.uint8), np.diag([1.0, 1.0, 5.0, 1.0]))
    thick.array[10:26, 12:24, 2:6] = 2
    thick.array[14:20, 15:20, 3:5] = 1
    moved = move_mask(thick, ATLAS, turned())
    assert moved.changed_volumes() == {}
    assert moved.kept == ()
    inner = moved.labels[16:20, 17:19, 16:20]
    assert (inner > 0).all()
