"""Small images of brains: the MNI152 template of nilearn with coarse voxels, in several contrasts."""

from functools import cache

import numpy as np
from scipy.spatial.transform import Rotation

from tumorseg.preparation.atlas import MNI152, Atlas, load_atlas
from tumorseg.preparation.sampling import Image, VoxelGrid, inverse, sample

EDGE_MM = 3


@cache
def small_atlas() -> Atlas:
    """Return the template with voxels of 3 mm."""
    atlas = load_atlas(MNI152)
    affine = atlas.image.affine @ np.diag([EDGE_MM, EDGE_MM, EDGE_MM, 1])
    shape = tuple(side // EDGE_MM for side in atlas.image.shape)
    image = Image(sample(atlas.image, VoxelGrid(shape, affine), np.eye(4)), affine)
    return Atlas(atlas.name, image, image.array > 20)


def rigid(degrees: float, shift_mm: tuple[float, float, float], axis=(1, 2, 3)) -> np.ndarray:
    """Return a matrix (4, 4) that rotates around the middle of the template's brain and then shifts."""
    centre = np.array([0.0, -18.0, 18.0])
    turn = Rotation.from_rotvec(degrees * np.array(axis) / np.linalg.norm(axis), degrees=True).as_matrix()
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = centre - turn @ centre + shift_mm
    return matrix


def other_contrast(image: Image) -> Image:
    """Return a brain whose dark tissues are bright and whose bright tissues are dark, as in T2; air stays dark."""
    bright = np.where(image.array > 20, 300 - image.array, 0).astype(np.float32)
    return Image(bright, image.affine)


def moved(image: Image, matrix: np.ndarray, spacing_mm=(EDGE_MM, EDGE_MM, EDGE_MM), margin_mm=12) -> Image:
    """Return an image as a scanner shows it if the head lies elsewhere; axes run left, back and up.

    Args:
        image: the brain.
        matrix: from the brain's millimetres to those of the result, (4, 4).
        spacing_mm: voxel edges of the result.
        margin_mm: air around the brain.
    """
    where = np.argwhere(image.array > 20) @ image.affine[:3, :3].T + image.affine[:3, 3]
    there = where @ matrix[:3, :3].T + matrix[:3, 3]
    low, high = there.min(axis=0) - margin_mm, there.max(axis=0) + margin_mm
    affine = np.diag([-spacing_mm[0], -spacing_mm[1], spacing_mm[2], 1.0])
    affine[:3, 3] = high[0], high[1], low[2]
    shape = tuple(int(side) for side in np.ceil((high - low) / spacing_mm))
    return Image(sample(image, VoxelGrid(shape, affine), inverse(matrix)), affine)


def errors_mm(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Return the distances between points of the brain under two matrices."""
    atlas = small_atlas()
    points = np.argwhere(atlas.brain)[::97] @ atlas.image.affine[:3, :3].T + atlas.image.affine[:3, 3]
    difference = found - true
    return np.linalg.norm(points @ difference[:3, :3].T + difference[:3, 3], axis=1)
