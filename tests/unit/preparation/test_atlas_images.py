"""Images on the grid of the atlas."""

import numpy as np

from tumorseg.cohort.background import ZERO_BACKGROUND, border_voxels, find_background
from tumorseg.preparation.atlas_images import atlas_brain, atlas_image, brain_outside_atlas
from tumorseg.preparation.sampling import Image, VoxelGrid

GRID = VoxelGrid((20, 20, 20), np.eye(4))
BRAIN = np.zeros((20, 20, 20), bool)
BRAIN[5:15, 5:15, 5:15] = True


def head(darkest: float = 0.0) -> Image:
    """Return a head whose brain has dark fluid in a tenth of its voxels."""
    rng = np.random.default_rng(0)
    voxels = rng.normal(500, 60, (20, 20, 20))
    voxels[5:15, 5:15, 9] = darkest
    return Image(voxels.astype(np.float32), np.eye(4))


def test_everything_outside_the_brain_is_exactly_0():
    voxels, _, shown = atlas_image(head(), BRAIN, GRID, np.eye(4))
    assert (voxels[~BRAIN] == 0).all()
    assert shown == 1


def test_dark_fluid_in_the_brain_is_not_background():
    for darkest in (0.0, -200.0):
        voxels, raised, _ = atlas_image(head(darkest), BRAIN, GRID, np.eye(4))
        background = find_background(border_voxels(voxels), voxels.ravel(), float(voxels.min()), nan=False)
        assert background == ZERO_BACKGROUND
        assert (voxels[BRAIN] > 0).all()
        np.testing.assert_allclose(voxels[BRAIN] - raised, head(darkest).array[BRAIN], atol=1e-3)


def test_bright_brains_are_not_raised():
    assert atlas_image(head(100.0), BRAIN, GRID, np.eye(4))[1] == 0


def test_what_the_image_does_not_show_is_0():
    image = head()
    cropped = Image(image.array[:, :, :10], image.affine)
    voxels, _, shown = atlas_image(cropped, BRAIN, GRID, np.eye(4))
    assert (voxels[:, :, 10:] == 0).all()
    assert shown == 0.5


def test_the_brain_is_where_half_of_a_voxel_is_brain():
    shift = np.eye(4)
    shift[0, 3] = 0.4
    moved = atlas_brain(Image(BRAIN, np.eye(4)), GRID, shift)
    assert (moved == BRAIN).all()
    shift[0, 3] = 0.6
    assert np.flatnonzero(atlas_brain(Image(BRAIN, np.eye(4)), GRID, shift)[:, 10, 10]).tolist() == list(range(4, 14))


def test_the_part_of_the_brain_outside_the_atlas_is_measured():
    shift = np.eye(4)
    shift[0, 3] = 10
    assert brain_outside_atlas(Image(BRAIN, np.eye(4)), GRID, np.eye(4)) == 0
    assert brain_outside_atlas(Image(BRAIN, np.eye(4)), GRID, shift) == 0.5


def test_the_spline_does_not_leave_the_range_of_the_image():
    image = Image(np.where(np.indices((20, 20, 20))[0] < 10, 100, 900).astype(np.float32), np.eye(4))
    shift = np.eye(4)
    shift[0, 3] = 0.5
    voxels, _, _ = atlas_image(image, BRAIN, GRID, shift)
    assert voxels[BRAIN].min() >= 100
    assert voxels[BRAIN].max() <= 900
