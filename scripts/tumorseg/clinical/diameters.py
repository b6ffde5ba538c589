"""The largest perpendicular diameters of lesions in axial planes, the bidimensional measurement of RANO.

In each axial plane the longest segment inside the lesion is found, and the longest segment inside it that is exactly
perpendicular to the first. The plane with the largest product of both counts. `outline` defines the outline and what
lies inside. Segments do not cross necrosis, cysts or cavities, because RANO measures solid tumour only.

The plane is spanned by the two grid axes that are not nearest to the direction between feet and head. Of a mask of a
disc or an ellipse each diameter is within one voxel edge of the true one. It is too long on average, by 0.2 to 0.8
voxel edges for the longest and 0.1 to 0.3 for the perpendicular one, because the longest of many segments is chosen.

References:
    Macdonald et al. 1990, doi:10.1200/JCO.1990.8.7.1277
    RANO, Wen et al. 2010, doi:10.1200/JCO.2009.26.3541
    RANO 2.0, Wen et al. 2023, doi:10.1200/JCO.23.01059
"""

from dataclasses import dataclass
from math import hypot
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from tumorseg.clinical.outline import Outline, longest_perpendicular, longest_segment, trace_outline
from tumorseg.metrics.components import connected_components
from tumorseg.orientation import axial_axis

MIN_DIAMETER_MM: Final = 10.0
"""Both diameters of a measurable lesion are at least this long."""
THICK_SLICE_MM: Final = 5.0
"""In thicker slices both diameters are at least two slices long (RANO 2010)."""
MIN_SLICES: Final = 2
"""A measurable lesion is in at least this many axial planes."""

Point = tuple[float, float, float]
"""A point in mm, in the space of the affine."""


@dataclass(frozen=True, eq=False)
class AxialPlane:
    """The axial planes of a grid.

    Attributes:
        axis: the grid axis across the planes.
        voxel_mm: maps voxels to mm in the plane: `points @ voxel_mm`, (2, 2).
        edge_mm: length of the longer voxel edge in the plane.
        thickness_mm: distance between neighbouring planes.
        angle_degrees: angle between the planes and the patient's axial plane, 0 to 90.
    """

    axis: int
    voxel_mm: NDArray[np.float64]
    edge_mm: float
    thickness_mm: float
    angle_degrees: float

    @property
    def min_diameter_mm(self) -> float:
        """The shortest diameter of a measurable lesion."""
        return max(MIN_DIAMETER_MM, 2 * self.thickness_mm if self.thickness_mm > THICK_SLICE_MM else 0.0)


@dataclass(frozen=True)
class Lesion:
    """The diameters of a lesion in the axial plane with their largest product.

    Attributes:
        volume_mm3: volume of the lesion.
        planes: number of axial planes with a voxel of the lesion.
        diameter_mm: length of the longest segment inside the lesion in the plane.
        perpendicular_mm: length of the longest segment inside the lesion that is perpendicular to it in the plane.
        diameter_ends_mm: ends of the first segment in the space of the affine.
        perpendicular_ends_mm: ends of the second segment.
    """

    volume_mm3: float
    planes: int
    diameter_mm: float
    perpendicular_mm: float
    diameter_ends_mm: tuple[Point, Point]
    perpendicular_ends_mm: tuple[Point, Point]

    @property
    def product_mm2(self) -> float:
        """The product of the two diameters."""
        return self.diameter_mm * self.perpendicular_mm


@dataclass(frozen=True)
class Lesions:
    """The lesions of a structure.

    Attributes:
        count: number of lesions of any size.
        measurable: the measurable lesions, the largest product first.
        largest: the measurable lesion with the largest product. Without one it is the lesion with the largest volume,
            and None without any lesion.
    """

    count: int
    measurable: tuple[Lesion, ...]
    largest: Lesion | None


def find_axial_plane(affine: NDArray[np.float64]) -> AxialPlane:
    """Return the axial planes of a grid.

    Args:
        affine: from voxels to millimetres, (4, 4).
    """
    axis = axial_axis(affine)
    first, second = (affine[:3, other] for other in range(3) if other != axis)
    across = np.cross(first, second)
    area = float(np.linalg.norm(across))
    voxel_mm = np.linalg.cholesky(np.array([[first @ first, first @ second], [first @ second, second @ second]]))
    return AxialPlane(
        axis,
        voxel_mm,
        edge_mm=max(float(np.linalg.norm(edge)) for edge in (first, second)),
        thickness_mm=abs(float(affine[:3, axis] @ across)) / area,
        angle_degrees=float(np.degrees(np.arccos(min(1.0, abs(float(across[2])) / area)))),
    )


def measure_lesions(mask: NDArray[np.bool_], affine: NDArray[np.float64]) -> Lesions:
    """Return the number of lesions of a structure and the diameters of those that can be measurable.

    A lesion is a connected component of the mask (26-connectivity).

    Args:
        mask: bool (X, Y, Z).
        affine: from voxels to millimetres, (4, 4).
    """
    numbers, count = connected_components(mask)
    if count == 0:
        return Lesions(0, (), None)
    plane = find_axial_plane(affine)
    voxels = np.bincount(numbers.ravel())[1:]
    largest = int(np.argmax(voxels)) + 1
    measured = {}
    for number, box in enumerate(find_objects(numbers), 1):
        if number == largest or _may_be_measurable(box, plane):
            measured[number] = _measure_lesion(numbers[box] == number, [side.start for side in box], affine, plane)
    measurable = [lesion for lesion in measured.values() if _is_measurable(lesion, plane)]
    measurable.sort(key=lambda lesion: -lesion.product_mm2)
    return Lesions(count, tuple(measurable), measurable[0] if measurable else measured[largest])


def _is_measurable(lesion: Lesion, plane: AxialPlane) -> bool:
    return lesion.perpendicular_mm >= plane.min_diameter_mm and lesion.planes >= MIN_SLICES


def _may_be_measurable(box: tuple[slice, ...], plane: AxialPlane) -> bool:
    """Return whether a lesion in a box can be measurable: both diameters fit into it, and it has enough planes."""
    sides = [side.stop - side.start for side in box]
    planes = sides.pop(plane.axis)
    return planes >= MIN_SLICES and hypot(*sides) * plane.edge_mm >= plane.min_diameter_mm


def _measure_lesion(
    mask: NDArray[np.bool_], start: list[int], affine: NDArray[np.float64], plane: AxialPlane
) -> Lesion:
    """Return the diameters of a lesion.

    Args:
        mask: the lesion in its bounding box, bool (x, y, z).
        start: first voxel of the box.
        affine: of the whole grid, (4, 4).
        plane: the axial planes.
    """
    slices = np.moveaxis(mask, plane.axis, 0)
    outlines = {index: trace_outline(voxels, plane.voxel_mm) for index, voxels in enumerate(slices) if voxels.any()}
    index, *segments = _largest_product(outlines)
    ends_mm = []
    for segment in segments:
        points = np.insert(segment, plane.axis, index, axis=1) + start
        first, second = (points @ affine[:3, :3].T + affine[:3, 3]).tolist()
        ends_mm.append((tuple(first), tuple(second)))
    diameter_mm, perpendicular_mm = (float(np.linalg.norm(np.subtract(*ends))) for ends in ends_mm)
    voxel_mm3 = abs(float(np.linalg.det(affine[:3, :3])))
    return Lesion(
        int(np.count_nonzero(mask)) * voxel_mm3, len(outlines), diameter_mm, perpendicular_mm, ends_mm[0], ends_mm[1]
    )


def _largest_product(outlines: dict[int, Outline]) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Return the plane with the largest product of the two diameters, and their ends in voxels, (2, 2) each."""
    best_mm2 = 0.0
    found = (0, np.empty((2, 2)), np.empty((2, 2)))
    for index, outline in sorted(outlines.items(), key=lambda item: -item[1].product_bound_mm2):
        if outline.product_bound_mm2 <= best_mm2:
            break
        longest = longest_segment(outline)
        length_mm = outline.length_mm(longest)
        if length_mm * outline.width_mm(longest) <= best_mm2:
            continue
        perpendicular = longest_perpendicular(outline, longest)
        if (product_mm2 := length_mm * outline.length_mm(perpendicular)) > best_mm2:
            best_mm2, found = product_mm2, (index, longest, perpendicular)
    return found
