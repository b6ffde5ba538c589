"""Create the random generators and smooth random fields of the demo cohort."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


class Purpose(IntEnum):
    """What a generator is for. Separate generators keep the draws of one part independent of changes in another."""

    DEFORMATION = 0
    TUMOUR = 1
    LOOKALIKES = 2
    CONTRAST = 3
    NOISE = 4
    LABELS = 5


def generator(seed: tuple[int, int], purpose: Purpose) -> np.random.Generator:
    """Return the generator of a case or patient for one purpose; `seed` is (seed of the cohort, number of the case)."""
    return np.random.default_rng([*seed, int(purpose)])


def smooth_field(
    shape: tuple[int, int, int], spacing_mm: float, scale_mm: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return a smooth random field: white noise on a coarse lattice, interpolated by cubic splines.

    Args:
        shape: number of voxels along each axis.
        spacing_mm: edge of a voxel.
        scale_mm: distance between the nodes of the lattice.
        rng: generator of the noise.

    Returns:
        Field of `shape` with mean 0 and standard deviation 1.
    """
    nodes = [int(np.ceil(size * spacing_mm / scale_mm)) + 1 for size in shape]
    weights = [_spline_weights(count, size) for count, size in zip(nodes, shape, strict=True)]
    # einsum does not use BLAS, whose sums depend on the processor and the number of threads.
    field: NDArray[np.float64] = rng.standard_normal(nodes)
    field = np.einsum("xa,abc->xbc", weights[0], field)
    field = np.einsum("yb,xbc->xyc", weights[1], field)
    field = np.einsum("zc,xyc->xyz", weights[2], field)
    standard: NDArray[np.float32] = ((field - field.mean()) / field.std()).astype(np.float32)
    return standard


def _spline_weights(nodes: int, points: int) -> NDArray[np.float64]:
    """Return weights (points, nodes) of a cubic spline at evenly spaced points from the first to the last node."""
    positions = np.linspace(0, nodes - 1, points)
    columns = [ndimage.map_coordinates(node, positions[None], order=3, mode="mirror") for node in np.eye(nodes)]
    return np.stack(columns, axis=1)
