"""HD95 between border voxels, as in MONAI. `surface` has the definition of the BraTS challenge."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.geometry import bounding_box, box_slices
from tumorseg.metrics.distances import nearest_distances
from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.surface import WORST_HD95_MM
from tumorseg.metrics.surface_elements import Spacing


def border_hausdorff95(reference: NDArray[np.bool_], prediction: NDArray[np.bool_], spacing_mm: Spacing) -> float:
    """Return the HD95 between border voxels, as MONAI computes it.

    A border voxel has at least one of its six face neighbours outside the mask or outside the grid. Distances are
    measured between the centres of border voxels. HD95 is the larger of the two directed 95th percentiles, with linear
    interpolation.

    Args:
        reference: mask, bool (X, Y, Z), not empty.
        prediction: mask, bool, of the same shape, not empty.
        spacing_mm: voxel edges along X, Y and Z.

    Returns:
        The HD95 in mm.

    References:
        Huttenlocher et al. 1993, doi:10.1109/34.232073.

    Example:
        >>> cube = np.zeros((8, 8, 8), bool)
        >>> cube[2:5, 2:5, 2:5] = True
        >>> border_hausdorff95(cube, np.roll(cube, 1, axis=0), (1.0, 1.0, 1.0))
        1.0
    """
    box = box_slices(bounding_box(reference | prediction))
    borders = [border_voxels(mask[box]) for mask in (reference, prediction)]
    distances = (
        nearest_distances(source, target, spacing_mm) for source, target in zip(borders, borders[::-1], strict=True)
    )
    return max(float(np.percentile(one, 95)) for one in distances)


def border_voxels(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the voxels of a mask that have a face neighbour outside the mask or outside the grid.

    Args:
        mask: bool (X, Y, Z).
    """
    # The voxels whose six face neighbours are in the mask, several times faster than with SciPy's erosion.
    interior = mask.copy()
    for axis in range(3):
        target, source = np.moveaxis(interior, axis, 0), np.moveaxis(mask, axis, 0)
        target[[0, -1]] = False
        target[1:] &= source[:-1]
        target[:-1] &= source[1:]
    border: NDArray[np.bool_] = mask & ~interior
    return border


HD95_BORDER: Final = Metric(
    "hd95_border",
    lambda pair: border_hausdorff95(pair.reference, pair.prediction, pair.spacing_mm),
    title="HD95 of border voxels",
    definition="as in MONAI, mm: the same between the centres of border voxels, with equal weights",
    better="lower",
    best=0,
    worst=WORST_HD95_MM,
    unit="mm",
    decimals=1,
)
