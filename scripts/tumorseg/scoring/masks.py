"""A mask from any tool, read whole and judged before it is scored."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.damage import Damage
from tumorseg.cohort.images import shape_problem
from tumorseg.cohort.mask import label_problem, read_labels
from tumorseg.cohort.volume import read_volume
from tumorseg.labels import to_inside
from tumorseg.metrics.cells import Spacing


class UnsoundMask(Exception):  # noqa: N818 - a finding about a file, as `Damage` is
    """A mask cannot be scored: what is wrong with it, and what to do."""


@dataclass(frozen=True, eq=False)
class Mask:
    """labels: inside labels (X, Y, Z). affine: voxel to millimetres, 4x4. spacing: voxel edges in millimetres."""

    labels: NDArray[np.uint8]
    affine: NDArray[np.float64]
    spacing: Spacing


def read_mask(path: Path) -> Mask:
    """Read a mask in any type that writes enhancing tumour as 3 or as 4. Raises UnsoundMask."""
    try:
        volume = read_volume(path)
    except Damage as damage:
        raise UnsoundMask(damage.message) from None
    problem = shape_problem(volume.shape, path.name, None) or label_problem(
        read_labels(volume.array), path.name, "auto"
    )
    if problem:
        raise UnsoundMask(problem.message)
    x, y, z = volume.spacing
    return Mask(to_inside(volume.array.astype(np.uint8, order="C")), volume.affine, (x, y, z))
