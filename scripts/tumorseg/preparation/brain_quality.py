"""Measure the mask of a brain, and judge whether it can be one: its volume, its shape, and the field of view.

References:
    Matsumae et al. 1996, doi:10.3171/jns.1996.84.6.0982 (adults: 1,469 ± 102 ml within the skull of men, 1,289 ± 111 ml
    of women)
    Holland et al. 2014, doi:10.1001/jamaneurol.2014.1638 (newborns: 347 ml in boys, 336 ml in girls)
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import nibabel
import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.skull_stripping import MAX_BRAIN_CM3
from tumorseg.cohort.validation_result import Issue
from tumorseg.formatting import format_list

_orientations: Any = nibabel.orientations  # nibabel leaves its functions untyped
MIN_BRAIN_ML: Final = 250.0
"""Smaller than the brain of a newborn, which has about 340 ml."""
ADULT_ML: Final = (950.0, 1900.0)
"""Volumes from three standard deviations below the mean of women, and above all of 29 brains of BraTS 2021, which had
1,235 to 1,796 ml. Children below 3 years have smaller ones."""
MAX_LENGTH_MM: Final = 230.0
"""Greatest length of a brain; 29 brains of BraTS 2021 had 163 to 187 mm."""
LENGTH_RATIO: Final = (1.1, 1.9)
"""Length of a brain in units of its shortest diameter; 29 brains of BraTS 2021 had 1.35 to 1.55, a sphere has 1."""
MAX_CUT_LENGTH_RATIO: Final = 3.0
"""The same for a brain that the field of view cuts through; halves of a head had 2.1 to 2.2, a fifth of it 6.3."""
MIN_SOLIDITY: Final = 0.8
"""Volume of a brain in units of the ellipsoid with its moments: 29 brains of BraTS 2021 had 0.93 to 0.96."""
MAX_CUT_FRACTION: Final = 0.1
"""Area of a brain on a face of the grid, in units of its largest parallel section. The brain stem, which always leaves
the field of view, takes 0.04; a face that cuts through the cerebellum 0.1 and more."""
_SIDES: Final = (("left", "right"), ("back", "front"), ("lower", "upper"))
"""The sides of the patient at both ends of each axis in mm (RAS)."""


@dataclass(frozen=True)
class BrainShape:
    """Measurements of the mask of a brain.

    Attributes:
        volume_ml: volume.
        lengths_mm: lengths of the axes of the ellipsoid with the same moments, the shortest first. Unlike a bounding
            box, they do not change when the patient turns the head.
        solidity: volume in units of this ellipsoid; 1 for an ellipsoid, less for anything else.
        cut: area on each side of the field of view that the brain touches, in units of its largest parallel section.
    """

    volume_ml: float
    lengths_mm: tuple[float, float, float]
    solidity: float
    cut: dict[str, float]

    def facts(self) -> dict[str, Any]:
        """Return the measurements as plain JSON types."""
        return {**asdict(self), "lengths_mm": list(self.lengths_mm)}


def measure_brain(mask: NDArray[np.bool_], affine: NDArray[np.float64]) -> BrainShape:
    """Measure the mask of a brain.

    Args:
        mask: of the brain (X, Y, Z), with at least one voxel.
        affine: voxel to millimetres (4, 4).

    Returns:
        The measurements, rounded for the record.
    """
    voxel_ml = abs(float(np.linalg.det(affine[:3, :3]))) / 1000
    volume_ml = int(np.count_nonzero(mask)) * voxel_ml
    # An ellipsoid of uniform density has the variance length² / 20 along each of its axes.
    covariance = _voxel_covariance(mask)
    linear = affine[:3, :3]
    variances = np.linalg.eigvalsh(linear @ covariance @ linear.T)
    lengths = np.sqrt(20 * variances)
    solidity = volume_ml * 1000 / (np.pi / 6 * float(np.prod(lengths)))
    first, second, third = (round(float(length), 1) for length in lengths)
    return BrainShape(round(volume_ml, 1), (first, second, third), round(solidity, 3), _cut_sides(mask, affine))


def _voxel_covariance(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the covariance (3, 3) of the positions in a mask, in voxels; each voxel is a cube, not a point."""
    total = np.count_nonzero(mask)
    planes = [mask.sum(axis=axis, dtype=np.float64) for axis in range(3)]  # over X, over Y, over Z
    counts = [planes[1].sum(axis=1), planes[0].sum(axis=1), planes[0].sum(axis=0)]
    indices = [np.arange(count.size) - float(np.arange(count.size) @ count) / total for count in counts]
    own = [float(count @ index**2) / total + 1 / 12 for count, index in zip(counts, indices, strict=True)]
    covariance: NDArray[np.float64] = np.diag(own)
    for axis in range(3):
        one, other = (index for index in range(3) if index != axis)
        covariance[one, other] = covariance[other, one] = indices[one] @ planes[axis] @ indices[other] / total
    return covariance


def _cut_sides(mask: NDArray[np.bool_], affine: NDArray[np.float64]) -> dict[str, float]:
    """Return the area of the mask on each face that it touches, in units of its largest parallel section."""
    cut = {}
    for axis, (patient_axis, direction) in enumerate(_orientations.io_orientation(affine)):
        areas = mask.sum(axis=tuple(other for other in range(3) if other != axis))
        ends = _SIDES[int(patient_axis)][:: int(direction)]
        for side, area in zip(ends, (areas[0], areas[-1]), strict=True):
            if area:
                cut[side] = round(float(area / areas.max()), 3)
    return cut


def brain_problem(shape: BrainShape, title: str, file: str) -> Issue | None:
    """Return why a mask cannot be a brain.

    Args:
        shape: measurements of the mask.
        title: title of the channel of its image.
        file: path of the image, for the issue.

    Returns:
        `brain_extraction_failed`; None if the mask can be a brain.
    """
    cut, (low, high) = _widely_cut(shape), LENGTH_RATIO
    high = MAX_CUT_LENGTH_RATIO if cut else high
    lengths = " x ".join(f"{length:.0f}" for length in shape.lengths_mm)
    ratio = shape.lengths_mm[2] / shape.lengths_mm[0]
    if not MIN_BRAIN_ML <= shape.volume_ml <= MAX_BRAIN_CM3:
        sign = f"has {shape.volume_ml:,.0f} ml; brains have {MIN_BRAIN_ML:,.0f} to {MAX_BRAIN_CM3:,} ml"
    elif ends := next((ends for ends in _SIDES if set(ends) <= set(cut)), None):
        sign = f"is cut off at the {format_list(ends)} end of the image, so most of a brain is missing"
    elif shape.lengths_mm[2] > MAX_LENGTH_MM or not low <= ratio <= high:
        sign = f"has the lengths {lengths} mm, which no brain has"
    elif shape.solidity < MIN_SOLIDITY:
        sign = "does not have the round shape of a brain"
    else:
        return None
    message = (
        f"what was found as brain in {title} {sign}; check that the image shows the whole head of a patient, and the "
        "voxel edges and axes in its header"
    )
    return Issue("brain_extraction_failed", file, message)


def brain_warnings(shape: BrainShape, title: str, file: str) -> Iterator[Issue]:
    """Warn about a brain of unusual volume, or cut off by the field of view.

    Args:
        shape: measurements of the mask.
        title: title of the channel of its image.
        file: path of the image, for the issues.

    Yields:
        `brain_volume_unusual` and `brain_at_image_border`.
    """
    low, high = ADULT_ML
    if not low <= shape.volume_ml <= high:
        why = "right only for a small child or a partial scan" if shape.volume_ml < low else "more than usual"
        message = (
            f"the brain in {title} has {shape.volume_ml:,.0f} ml, {why} (adults: {low:,.0f} to {high:,.0f} ml); look "
            "at its outline"
        )
        yield Issue("brain_volume_unusual", file, message)
    if cut := _widely_cut(shape):
        message = (
            f"the {format_list(cut)} end of the field of view of {title} cuts through the brain; tumour beyond it is "
            "not seen"
        )
        yield Issue("brain_at_image_border", file, message)


def _widely_cut(shape: BrainShape) -> list[str]:
    """Return the sides on which the field of view cuts through the brain."""
    return [side for side, fraction in shape.cut.items() if fraction > MAX_CUT_FRACTION]
