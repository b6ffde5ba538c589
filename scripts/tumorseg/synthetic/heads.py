"""Deform the template to a random head, at several scales."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from tumorseg.demo.anatomy import Anatomy, CohortGrid, Template
from tumorseg.demo.random_fields import smooth_field

Field = NDArray[np.float32]

_ROTATION_DEGREES: Final = 7.0
_SCALES: Final = ((0.87, 1.0), (0.88, 1.01), (0.82, 0.96))
"""Lowest and highest scale along left-right, front-back and head-feet. Templates of BraTS are smaller than MNI152."""
_DISPLACEMENTS_MM: Final = ((70.0, 0.5, 4.0), (35.0, 0.3, 2.0), (16.0, 0.0, 0.9))
"""For each component: distance between the nodes, and the lowest and highest standard deviation."""
_MATTER_POWERS: Final = (0.75, 1.6)


def random_positions(grid: CohortGrid, rng: np.random.Generator) -> tuple[Field, NDArray[np.float64]]:
    """Draw a rotation, scales, mirroring and smooth displacements.

    Args:
        grid: grid of the case.
        rng: generator of the deformation.

    Returns:
        The point of the template that each voxel shows, in MNI millimetres (3, X, Y, Z), and its linear part (3, 3).
    """
    points = np.indices(grid.shape, dtype=np.float32) * np.diag(grid.affine)[:3, None, None, None].astype(np.float32)
    points += grid.affine[:3, 3, None, None, None].astype(np.float32)
    centre = points.mean(axis=(1, 2, 3), keepdims=True)
    angles = rng.uniform(-_ROTATION_DEGREES, _ROTATION_DEGREES, 3)
    scales = np.array([rng.uniform(low, high) for low, high in _SCALES])
    mirror = np.diag([rng.choice([-1.0, 1.0]), 1.0, 1.0])
    linear = mirror @ Rotation.from_euler("xyz", angles, degrees=True).as_matrix() @ np.diag(1 / scales)
    positions = np.einsum("ij,jxyz->ixyz", linear.astype(np.float32), points - centre)
    positions += centre * np.array([0, 1, 1], np.float32)[:, None, None, None]
    for nodes_mm, low, high in _DISPLACEMENTS_MM:
        deviation = rng.uniform(low, high)
        for axis in range(3):
            positions[axis] += np.float32(deviation) * smooth_field(grid.shape, grid.spacing_mm, nodes_mm, rng)
    return positions, linear


def sample_anatomy(template: Template, positions: Field, matter_power: float = 1.0) -> Anatomy:
    """Return the anatomy at the given points of the template.

    Args:
        template: the template to sample.
        positions: point of the template that each voxel shows, in MNI millimetres (3, X, Y, Z).
        matter_power: exponent of the fraction of brain matter; above 1, sulci become wider, as in old age.
    """
    voxels = positions - template.affine[:3, 3, None, None, None].astype(np.float32)
    grey_map, white_map, brain_map, detail_map = template.maps
    near = ndimage.map_coordinates(brain_map, voxels, order=0) > 0.05
    brain = ndimage.binary_fill_holes(_sample_at(near, brain_map, voxels) > 0.5)
    grey, white, detail = (_sample_at(brain, volume, voxels) for volume in (grey_map, white_map, detail_map))
    grey, white = np.clip(grey, 0, 1), np.clip(white, 0, 1)
    matter = grey + white
    wanted = np.minimum(matter, 1) ** np.float32(matter_power)
    ratio = np.divide(wanted, matter, out=np.zeros_like(matter), where=matter > 1e-3)
    grey, white = grey * ratio, white * ratio
    return Anatomy(grey, white, (1 - grey - white) * brain, detail, brain, positions)


def _sample_at(where: NDArray[np.bool_], volume: Field, voxels: Field) -> Field:
    """Return the volume at some of the points, and 0 at the others."""
    sampled = np.zeros(where.shape, np.float32)
    sampled[where] = ndimage.map_coordinates(volume, voxels[:, where], order=1)
    return sampled


def random_matter_power(rng: np.random.Generator) -> float:
    """Return a random exponent for `sample_anatomy`."""
    return float(np.exp(rng.uniform(*np.log(_MATTER_POWERS))))


def ventricles(anatomy: Anatomy) -> NDArray[np.bool_]:
    """Return the voxels of the lateral and third ventricles (X, Y, Z)."""
    x, y, z = anatomy.position
    inside: NDArray[np.bool_] = (anatomy.csf > 0.6) & (abs(x) < 32) & (y > -55) & (y < 35) & (z > -5) & (z < 32)
    # Sulci of the outer surface are shallow; ventricles are not.
    inside &= (abs(x) < 22) | (y < -10)
    return inside
