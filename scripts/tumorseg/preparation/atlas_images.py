"""Resample the images of a patient to the grid of the atlas, without anything outside the brain."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.geometry import Grid, bounding_box, box_slices
from tumorseg.preparation.sampling import Image, VoxelGrid, grid_part, inside, inverse, sample

_DARKEST: Final = 0.005
"""Smallest value in a brain, as a fraction of its brightness. Values within .002 of 0 may count as background, see
`cohort.background`."""
_BRIGHT_PERCENTILE: Final = 90


def atlas_brain(mask: Image, atlas: Grid, matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the brain on the grid of the atlas.

    Args:
        mask: the brain on the grid of the reference image, bool or uint8.
        atlas: the grid of the atlas.
        matrix: from the atlas's millimetres to the reference image's, (4, 4).

    Returns:
        Bool with the shape of the atlas: where at least half of a voxel is brain.
    """
    share = sample(Image(mask.array.astype(np.float32), mask.affine), atlas, matrix)
    brain: NDArray[np.bool_] = (share >= 0.5) & inside(mask, atlas, matrix)
    return brain


def atlas_image(
    image: Image, brain: NDArray[np.bool_], atlas: Grid, matrix: NDArray[np.float64]
) -> tuple[NDArray[np.float32], float, float]:
    """Return an image on the grid of the atlas, interpolated once, by a cubic spline.

    Background, and the part of the brain that the image does not show, is exactly 0. The brain is brighter than 0: if
    its darkest voxel is not, all its voxels are raised by the same value, which z-scores do not notice. The spline does
    not leave the range of the image. A T1CE of BraTS 2021, turned by 15 degrees and back, differed from the original by
    .11 of its standard deviation, and by .16 with linear interpolation; with slices of 5 mm, by .36 and .41.

    Args:
        image: the image on its native grid.
        brain: the brain on the grid of the atlas, bool.
        atlas: the grid of the atlas.
        matrix: from the atlas's millimetres to the image's, (4, 4).

    Returns:
        The image, float32 with the shape of the atlas; the value by which its brain was raised; and the fraction of
        the brain that it shows.
    """
    result = np.zeros(atlas.shape, np.float32)
    box = bounding_box(brain)
    part = grid_part(atlas, box)
    shown = brain[box_slices(box)] & inside(image, part, matrix)
    values = sample(image, part, matrix, order=3)[shown].clip(image.array.min(), image.array.max())
    raised = _missing_brightness(values)
    result[box_slices(box)][shown] = values + np.float32(raised)
    return result, raised, float(shown.sum() / max(brain.sum(), 1))


def _missing_brightness(values: NDArray[np.float32]) -> float:
    """Return what has to be added to the voxels of a brain (N,) so that all are clearly brighter than 0."""
    if values.size == 0:
        return 0.0
    low = float(values.min())
    brightness = float(np.percentile(values, _BRIGHT_PERCENTILE)) - low
    darkest = _DARKEST * brightness if brightness > 0 else 1.0
    return max(0.0, darkest - low)


def brain_outside_atlas(mask: Image, atlas: Grid, matrix: NDArray[np.float64]) -> float:
    """Return the fraction of the brain that lies outside the grid of the atlas.

    Args:
        mask: the brain on the grid of the reference image, bool or uint8.
        atlas: the grid of the atlas.
        matrix: from the atlas's millimetres to the reference image's, (4, 4).
    """
    covered = inside(atlas, VoxelGrid(mask.shape, mask.affine), inverse(matrix))
    brain = mask.array > 0
    return float((brain & ~covered).sum() / max(brain.sum(), 1))
