"""Masks with other axes, or covering another box of the images' voxel grid."""

import nibabel
import numpy as np
import pytest

from tumorseg.cohort.mask_checks import read_labels
from tumorseg.cohort.mask_grid import VoxelGrid, dense_mask, move_to_grid

SHAPE = (6, 7, 8)
LPS = np.array([[-1.0, 0, 0, 3], [0, -1.5, 0, 40], [0, 0, 2, -7], [0, 0, 0, 1]])
OBLIQUE = LPS @ nibabel.affines.from_matvec(nibabel.eulerangles.euler2mat(0.2, -0.1, 0.3))
AXES = ["RAS", "ASL", "PIR", "LAS", "SPL"]


def noise(shape=SHAPE):
    """Return a mask with labels everywhere except in its outermost voxels."""
    volume = np.zeros(shape, np.uint8)
    volume[1:-1, 1:-1, 1:-1] = np.random.default_rng(1).integers(0, 4, [side - 2 for side in shape])
    return volume


def mask_on_target(volume, affine, target=SHAPE, target_affine=LPS):
    """Return the mask on the target's grid and the notes; or None and the problem."""
    volume = np.asfortranarray(volume)
    placed = move_to_grid(
        read_labels(volume), VoxelGrid(volume.shape, affine), VoxelGrid(target, target_affine), "the images"
    )
    return (dense_mask(placed.labels, target), placed.notes) if placed.labels is not None else (None, placed.problem)


def reoriented(volume, affine, axes: str):
    """Return volume and affine as from a tool that reorients before saving."""
    turn = nibabel.orientations.ornt_transform(nibabel.io_orientation(affine), nibabel.orientations.axcodes2ornt(axes))
    image = nibabel.Nifti1Image(volume, affine).as_reoriented(turn)
    return np.asarray(image.dataobj), image.affine


def moved(affine, start):
    """Return the affine of a box that begins at a voxel of a grid."""
    return affine @ nibabel.affines.from_matvec(np.eye(3), start)


def test_a_mask_on_the_grid_is_unchanged():
    found, notes = mask_on_target(noise(), LPS + 5e-4)
    assert np.array_equal(found, noise())
    assert not notes


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("affine", [LPS, OBLIQUE])
def test_a_mask_on_other_axes_is_reoriented_without_interpolation(affine, axes):
    volume, own = reoriented(noise(), affine, axes)
    found, notes = mask_on_target(volume, own, target_affine=affine)
    assert np.array_equal(found, noise())
    assert list(notes) == ["mask_reoriented"]


def test_a_cropped_mask_is_put_back_at_its_offset():
    box = (slice(1, 5), slice(2, 7), slice(1, 8))
    expected = np.zeros_like(noise())
    expected[box] = noise()[box]
    found, notes = mask_on_target(noise()[box], moved(LPS, (1, 2, 1)))
    assert np.array_equal(found, expected)
    assert list(notes) == ["mask_extent"]
    assert "4x5x7 voxels from voxel (1, 2, 1) of the images' 6x7x8" in notes["mask_extent"]


@pytest.mark.parametrize("axes", AXES)
def test_a_mask_may_be_both_cropped_and_reoriented(axes):
    volume, own = reoriented(noise()[1:-1, 1:-1, 1:-1], moved(OBLIQUE, (1, 1, 1)), axes)
    found, notes = mask_on_target(volume, own, target_affine=OBLIQUE)
    assert np.array_equal(found, noise())
    assert sorted(notes) == ["mask_extent", "mask_reoriented"]


def test_padding_without_tumour_is_cut_off():
    found, notes = mask_on_target(np.pad(noise(), ((2, 3), (0, 0), (1, 4))), moved(LPS, (-2, 0, -1)))
    assert np.array_equal(found, noise())
    assert list(notes) == ["mask_extent"]


def test_padding_with_tumour_in_it_is_refused():
    volume = np.pad(noise(), 1)
    volume[0, 3, 3] = 2
    found, problem = mask_on_target(volume, moved(LPS, (-1, -1, -1)))
    assert found is None
    assert "marks tumour outside the grid of the images" in problem


@pytest.mark.parametrize(
    "affine",
    [
        moved(LPS, (0.5, 0, 0)),
        moved(LPS, (0.02, 1, 1)),
        LPS @ np.diag([1, 1, 2.0, 1]),
        LPS @ nibabel.affines.from_matvec(nibabel.eulerangles.euler2mat(0.1)),
        OBLIQUE,
    ],
)
def test_a_mask_with_other_voxel_centres_is_refused(affine):
    found, problem = mask_on_target(noise((4, 5, 6)), affine)
    assert found is None
    assert "the mask is 4x5x6, the images 6x7x8; resample it to that grid" in problem


def test_another_shape_with_the_same_affine_is_refused():
    found, problem = mask_on_target(noise()[:, :, :-1], LPS)
    assert found is None
    assert "the voxels that were cropped or added are unknown" in problem


def test_a_shifted_mask_as_large_as_the_images_is_refused():
    volume = np.zeros(SHAPE, np.uint8)
    volume[3, 3, 3] = 1
    found, problem = mask_on_target(volume, moved(LPS, (1, 0, 0)))
    assert found is None
    assert "an entry of the affine differs from the images' by up to 1" in problem
    assert "copy the header of the images to it if it has the same voxels, otherwise resample it" in problem


@pytest.mark.parametrize("affine", [LPS, moved(LPS, (0.5, 0, 0))])
def test_a_transposed_shape_is_mentioned(affine):
    found, problem = mask_on_target(noise().transpose(2, 1, 0), affine)
    assert found is None
    assert "was it transposed?" in problem


def test_rounded_values_are_kept_after_reorienting():
    volume, own = reoriented(noise(), LPS, "RAS")
    values = np.asfortranarray(volume * np.float32(0.9999))
    placed = move_to_grid(read_labels(values), VoxelGrid(values.shape, own), VoxelGrid(SHAPE, LPS), "the images")
    assert placed.labels is not None
    assert np.array_equal(dense_mask(placed.labels, SHAPE), noise())
    assert placed.labels.rounded == pytest.approx([0.9999, 1.9998, 2.9997])
