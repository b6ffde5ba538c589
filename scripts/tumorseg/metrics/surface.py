"""Distances between the surfaces of two masks, as the BraTS challenge's code takes them.

A surface is made of elements, one at each corner of voxels around which the 2x2x2 voxels are neither all inside nor all
outside, each with the area that the surface has there (see `cells`). Distances are between such corners, and their
percentiles are weighted by area: Nikolov et al. 2021 (doi:10.2196/26151), as in DeepMind's `surface-distance`, which
the challenge uses and which gives equal values.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.geometry import bounding_box, box_slices
from tumorseg.metrics.distances import nearest_distances
from tumorseg.metrics.pair import StructurePair
from tumorseg.metrics.record import Metric
from tumorseg.metrics.surface_elements import Spacing, cell_areas, cell_codes

WORST_HD95: Final = 374.0
"""HD95 (mm) where there is nothing to measure to: the diagonal of the grid of BraTS."""


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """The distance from each element of a surface to the other surface, with the area of the element.

    Attributes:
        from_reference: from elements of the reference, mm, ascending.
        reference_areas: of these elements, mm².
        from_prediction: from elements of the prediction, mm, ascending.
        prediction_areas: of these elements, mm².
    """

    from_reference: NDArray[np.float64]
    reference_areas: NDArray[np.float64]
    from_prediction: NDArray[np.float64]
    prediction_areas: NDArray[np.float64]

    def hausdorff95(self) -> float:
        """Return the HD95 in mm: the larger of the 95th percentiles of both directions, weighted by area."""
        return max(
            _percentile95(self.from_reference, self.reference_areas),
            _percentile95(self.from_prediction, self.prediction_areas),
        )

    def surface_dice(self, tolerance_mm: float) -> float:
        """Return the normalised surface Dice: the share of both surfaces within `tolerance` mm of the other one."""
        near = self.reference_areas[self.from_reference <= tolerance_mm].sum()
        near += self.prediction_areas[self.from_prediction <= tolerance_mm].sum()
        return float(near / (self.reference_areas.sum() + self.prediction_areas.sum()))


def surface_distances(
    reference: NDArray[np.bool_], prediction: NDArray[np.bool_], spacing_mm: Spacing
) -> SurfaceDistances:
    """Return the distances between the surfaces of two masks.

    Args:
        reference: mask (X, Y, Z), not empty.
        prediction: mask of the same shape, not empty.
        spacing_mm: voxel edges along X, Y and Z.

    Returns:
        The distances from each element of both surfaces.

    References:
        Nikolov et al. 2021, doi:10.2196/26151.

    Example:
        >>> cube = np.zeros((8, 8, 8), bool)
        >>> cube[2:5, 2:5, 2:5] = True
        >>> surface_distances(cube, np.roll(cube, 1, axis=0), (1.0, 1.0, 1.0)).hausdorff95()
        1.0
    """
    box = box_slices(bounding_box(reference | prediction))
    codes = [cell_codes(mask[box]) for mask in (reference, prediction)]
    surfaces = [(code != 0) & (code != 255) for code in codes]
    areas = cell_areas(spacing_mm)
    found = []
    for code, own, other in zip(codes, surfaces, surfaces[::-1], strict=True):
        distances = nearest_distances(own, other, spacing_mm)
        of_elements = areas[code[own]]
        order = np.lexsort((of_elements, distances))
        found += [distances[order], of_elements[order]]
    return SurfaceDistances(*found)


def _percentile95(distances: NDArray[np.float64], areas: NDArray[np.float64]) -> float:
    """The first distance, in ascending order, up to which the areas add up to 95 % of all."""
    shares = np.cumsum(areas) / areas.sum()
    return float(distances[min(int(np.searchsorted(shares, 0.95)), len(distances) - 1)])


def _pair_distances(pair: StructurePair) -> SurfaceDistances:
    return surface_distances(pair.reference, pair.prediction, pair.spacing_mm)


SURFACE_DICE: Final = Metric(
    "surface_dice",
    lambda pair: pair.once(_pair_distances).surface_dice(pair.case.surface_tolerance_mm),
    title="Surface Dice",
    definition="normalised surface Dice: the share of both surfaces' area that lies within a tolerance of the "
    "other surface, with surface elements and areas as for HD95; empty masks as for Dice",
    better="higher",
    best=1,
    worst=0,
)
HD95: Final = Metric(
    "hd95",
    lambda pair: pair.once(_pair_distances).hausdorff95(),
    title="HD95 as in BraTS",
    short_title="HD95",
    definition="as the BraTS 2023 challenge's code takes it, mm: surface elements at the corners of 2x2x2 cells of "
    "voxels, the 95th percentile of their distances to the other surface, weighted by their areas, in each direction; "
    "the larger of the two. 0 where both masks are empty, 374 where one is",
    better="lower",
    best=0,
    worst=WORST_HD95,
    unit="mm",
    decimals=1,
    places=("report", "report_cases", "case_figure", "terminal", "model_card"),
)
