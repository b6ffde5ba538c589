"""Masks of shapes with known diameters, on any grid."""

import numpy as np

SHAPE = (60, 60, 40)


def grid(spacing_mm=(1.0, 1.0, 1.0), shape=SHAPE) -> np.ndarray:
    """Return an affine with its origin in the middle of the grid."""
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape) - 1) / 2
    return affine


def rotated(affine: np.ndarray, degrees: float, axes: tuple[int, int]) -> np.ndarray:
    """Return an affine after a rotation about the origin in the plane of two anatomical axes."""
    turn = np.eye(4)
    angle = np.radians(degrees)
    first, second = axes
    turn[first, first] = turn[second, second] = np.cos(angle)
    turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
    return turn @ affine


def ellipsoid(
    diameters_mm, affine: np.ndarray, shape=SHAPE, centre_mm=(0.0, 0.0, 0.0), degrees: float = 0.0
) -> np.ndarray:
    """Return the mask of an ellipsoid, rotated in the plane of left-right and front-back."""
    voxels = np.moveaxis(np.indices(shape), 0, -1)
    points = voxels @ affine[:3, :3].T + affine[:3, 3] - centre_mm
    turned = points @ rotated(np.eye(4), degrees, (0, 1))[:3, :3]
    if not np.all(diameters_mm):
        return np.zeros(shape, bool)
    return ((2 * turned / diameters_mm) ** 2).sum(axis=-1) <= 1


def box(sides, shape=SHAPE, start=(10, 10, 10)) -> np.ndarray:
    """Return the mask of a box, in voxels."""
    mask = np.zeros(shape, bool)
    mask[tuple(slice(first, first + side) for first, side in zip(start, sides, strict=True))] = True
    return mask
