"""Distances between the surfaces of two masks, as the code of the BraTS challenge computes them.

A surface consists of elements. There is one at each voxel corner whose 2x2x2 neighbouring voxels are partly inside and
partly outside the mask. `surface_elements` computes the area of each. Distances are measured between these corners, and
their percentiles are weighted by area (Nikolov et al. 2021, doi:10.2196/26151). The values equal those of DeepMind's
`surface-distance`, which the challenge uses.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.geometry import bounding_box, box_slices
from tumorseg.metrics.distances import nearest_distances
from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.pair import StructurePair
from tumorseg.metrics.surface_elements import Spacing, cell_areas, cell_codes

WORST_HD95_MM: Final = 374.0
"""HD95 in mm if one mask is empty: the diagonal of the BraTS grid."""


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """The distance from each element of one surface to the other surface, and the areas of the elements.

    Attributes:
        from_reference: distances from elements of the reference in mm, ascending, float64 (n,).
        reference_areas: areas of these elements in mm², float64 (n,).
        from_prediction: distances from elements of the prediction in mm, ascending, float64 (m,).
        prediction_areas: areas of these elements in mm², float64 (m,).

    Example:
        >>> surfaces = SurfaceDistances(np.array([1.0]), np.array([2.0]), np.array([3.0]), np.array([2.0]))
        >>> surfaces.hausdorff95(), surfaces.surface_dice(tolerance_mm=2)
        (3.0, 0.5)
    """

    from_reference: NDArray[np.float64]
    reference_areas: NDArray[np.float64]
    from_prediction: NDArray[np.float64]
    prediction_areas: NDArray[np.float64]

    def hausdorff95(self) -> float:
        """Return the HD95 in mm: the larger of the two directed 95th percentiles, weighted by area."""
        return max(
            _percentile95(self.from_reference, self.reference_areas),
            _percentile95(self.from_prediction, self.prediction_areas),
        )

    def surface_dice(self, tolerance_mm: float) -> float:
        """Return the normalised surface Dice: the share of both areas that is within the tolerance of the other one.

        Args:
            tolerance_mm: largest distance at which a surface element agrees with the other surface.
        """
        near_mm2 = self.reference_areas[self.from_reference <= tolerance_mm].sum()
        near_mm2 += self.prediction_areas[self.from_prediction <= tolerance_mm].sum()
        return float(near_mm2 / (self.reference_areas.sum() + self.prediction_areas.sum()))


def surface_distances(
    reference: NDArray[np.bool_], prediction: NDArray[np.bool_], spacing_mm: Spacing
) -> SurfaceDistances:
    """Return the distances between the surfaces of two masks.

    Args:
        reference: mask, bool (X, Y, Z), not empty.
        prediction: mask, bool, of the same shape, not empty.
        spacing_mm: voxel edges along X, Y and Z.

    Returns:
        The distance from each element of both surfaces to the other surface, and the area of each element.

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
    fields = []
    for code, source, target in zip(codes, surfaces, surfaces[::-1], strict=True):
        distances = nearest_distances(source, target, spacing_mm)
        element_areas = areas[code[source]]
        order = np.lexsort((element_areas, distances))
        fields += [distances[order], element_areas[order]]
    return SurfaceDistances(*fields)


def _percentile95(distances: NDArray[np.float64], areas: NDArray[np.float64]) -> float:
    """Return the smallest distance at which the cumulative area reaches 95 % of the total."""
    shares = np.cumsum(areas) / areas.sum()
    return float(distances[min(int(np.searchsorted(shares, 0.95)), len(distances) - 1)])


def _pair_distances(pair: StructurePair) -> SurfaceDistances:
    return surface_distances(pair.reference, pair.prediction, pair.spacing_mm)


SURFACE_DICE: Final = Metric(
    "surface_dice",
    lambda pair: pair.compute_once(_pair_distances).surface_dice(pair.case.surface_tolerance_mm),
    title="Surface Dice",
    definition="normalised surface Dice: the share of the area of both surfaces that lies within a tolerance of the "
    "other surface, with surface elements and areas as for HD95; empty masks as for Dice",
    better="higher",
    best=1,
    worst=0,
    places=("headline", "report", "report_cases"),
)
HD95: Final = Metric(
    "hd95",
    lambda pair: pair.compute_once(_pair_distances).hausdorff95(),
    title="HD95 as in BraTS",
    short_title="HD95",
    definition="as in the code of the BraTS 2023 challenge, mm: the larger of the two directed 95th percentiles of "
    "the distances from the elements of one surface to the other surface, weighted by their areas. An element is at "
    "each voxel corner between inside and outside. 0 if both masks are empty, 374 if only one is",
    better="lower",
    best=0,
    worst=WORST_HD95_MM,
    unit="mm",
    decimals=1,
    places=("headline", "report", "report_cases", "case_figure", "terminal", "model_card"),
)
