"""HD95 between border voxels, as in MONAI. `surface` has the definition of the BraTS challenge."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

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
    return max(float(np.percentile(distances, 95)) for distances in border_distances(reference, prediction, spacing_mm))


def border_distances(
    reference: NDArray[np.bool_], prediction: NDArray[np.bool_], spacing_mm: Spacing
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distances between the border voxels of two masks, see `border_hausdorff95`.

    Args:
        reference: mask, bool (X, Y, Z), not empty.
        prediction: mask, bool, of the same shape, not empty.
        spacing_mm: voxel edges along X, Y and Z.

    Returns:
        The distance in mm of each border voxel of the reference to the nearest one of the prediction, float64 (n,), and
        of each border voxel of the prediction to the nearest one of the reference, float64 (m,).
    """
    box = box_slices(bounding_box(reference | prediction))
    borders = [_border_voxels(mask[box]) for mask in (reference, prediction)]
    return (
        nearest_distances(borders[0], borders[1], spacing_mm),
        nearest_distances(borders[1], borders[0], spacing_mm),
    )


def _border_voxels(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    eroded: NDArray[Any] = ndimage.binary_erosion(mask)  # the default element has the six face neighbours
    border: NDArray[np.bool_] = mask & ~eroded
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
