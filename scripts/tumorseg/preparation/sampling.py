"""Sample images on other grids through rigid transforms, each grid voxel as the mean over its extent.

A matrix (4, 4) maps points of the grid, in millimetres (RAS), to points of the image.
"""

from dataclasses import dataclass
from math import ceil
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.geometry import Grid

_TOLERANCE: Final = 0.25
"""A grid voxel longer than the image's by up to this fraction is sampled once along its axis."""


@dataclass(frozen=True, eq=False)
class Image:
    """Voxels on a grid.

    Attributes:
        array: voxels (X, Y, Z).
        affine: voxel to millimetres (RAS), (4, 4).
    """

    array: NDArray[Any]
    affine: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of voxels along each axis."""
        return self.array.shape

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """The voxel edges."""
        return spacing_mm(self.affine)


@dataclass(frozen=True, eq=False)
class VoxelGrid:
    """A grid without voxels: shape along each axis, and affine from voxel to millimetres, (4, 4)."""

    shape: tuple[int, ...]
    affine: NDArray[np.float64]


def spacing_mm(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the voxel edges of a grid.

    Args:
        affine: voxel to millimetres, (4, 4).
    """
    edges: NDArray[np.float64] = np.linalg.norm(affine[:3, :3], axis=0)
    return edges


def grid_part(grid: Grid, box: tuple[tuple[int, int], ...]) -> VoxelGrid:
    """Return the part of a grid within a box."""
    affine = np.array(grid.affine, np.float64)
    affine[:3, 3] += affine[:3, :3] @ [start for start, _ in box]
    return VoxelGrid(tuple(stop - start for start, stop in box), affine)


def sample(image: Image, grid: Grid, matrix: NDArray[np.float64], *, order: int = 1) -> NDArray[np.float32]:
    """Return an image on a grid.

    Where grid voxels are longer than the image's, each is the mean of evenly spaced samples over its extent. So a thick
    slice of the grid gets the mean over its thickness, and fine voxels of the image are not aliased. Beyond the image,
    its outer voxels continue; with splines, it is mirrored.

    Args:
        image: the image.
        grid: the grid to sample on.
        matrix: from the grid's millimetres to the image's, (4, 4).
        order: order of the interpolating spline; 1 is linear.

    Returns:
        Float32 with the shape of the grid.
    """
    transform = voxel_transform(image.affine, grid.affine, matrix)
    counts = [_samples_along(column) for column in transform[:3, :3].T]
    array = image.array if order == 1 else ndimage.spline_filter(image.array, order, np.float32, mode="mirror")
    total: NDArray[np.float32] = np.zeros(grid.shape, np.float32)
    for index in np.ndindex(*counts):
        within = (np.array(index) + 0.5) / counts - 0.5
        offset = transform[:3, 3] + transform[:3, :3] @ within
        total += ndimage.affine_transform(
            array,
            transform[:3, :3],
            offset,
            output_shape=grid.shape,
            output=np.float32,
            order=order,
            mode="nearest" if order == 1 else "mirror",  # the spline filter mirrors, too
            prefilter=False,
        )
    total /= np.float32(np.prod(counts))
    return total


def inside(image: Grid, grid: Grid, matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which voxels of a grid have their centre within the voxels of an image.

    Args:
        image: grid of the image.
        grid: the grid to look at.
        matrix: from the grid's millimetres to the image's, (4, 4).

    Returns:
        Bool with the shape of the grid.
    """
    transform = voxel_transform(image.affine, grid.affine, matrix).astype(np.float32)
    x, y, z = (np.arange(side, dtype=np.float32) for side in grid.shape)
    result = np.ones(grid.shape, np.bool_)
    for (along_x, along_y, along_z, start), side in zip(transform[:3], image.shape, strict=True):
        position = (along_x * x + start)[:, None, None] + (along_y * y)[:, None] + along_z * z
        result &= (position >= -0.5) & (position <= side - 0.5)
    return result


def voxel_transform(
    image: NDArray[np.float64], grid: NDArray[np.float64], matrix: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the transform from voxels of a grid to voxels of an image, (4, 4).

    Args:
        image: affine of the image, (4, 4).
        grid: affine of the grid, (4, 4).
        matrix: from the grid's millimetres to the image's, (4, 4).
    """
    return inverse(image) @ matrix @ grid


def inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inverse of a matrix.

    Args:
        matrix: of shape (4, 4).
    """
    return np.linalg.inv(matrix).astype(np.float64)


def transform_points(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the points that a matrix maps points to.

    Args:
        matrix: of shape (4, 4).
        points: of shape (N, 3), or one point (3,).
    """
    mapped: NDArray[np.float64] = points @ matrix[:3, :3].T + matrix[:3, 3]
    return mapped


def _samples_along(step: NDArray[np.float64]) -> int:
    """Return the number of samples along an axis of the grid whose step in voxels of the image is `step` (3,)."""
    return max(1, ceil(float(np.abs(step).max()) - _TOLERANCE))
