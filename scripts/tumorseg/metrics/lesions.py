"""Lesion-wise scores of BraTS 2023: each lesion and each false lesion counts once, large or small.

The scores equal those of the challenge's evaluation code for adult glioma
(https://github.com/rachitsaluja/BraTS-2023-Metrics), which Moawad et al. 2024 (arXiv:2306.00838) describe.

Components are 26-connected. Reference voxels belong to the same lesion if three dilations of the reference with
18-connectivity join them. A lesion is compared with all predicted components that touch the dilated lesion. A component
may belong to several lesions and counts whole in each.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tumorseg.geometry import bounding_box, box_slices
from tumorseg.metrics.components import connected_components
from tumorseg.metrics.metric_record import Count, Metric
from tumorseg.metrics.pair import StructurePair
from tumorseg.metrics.surface import WORST_HD95_MM, surface_distances
from tumorseg.metrics.surface_elements import Spacing

DILATIONS: Final = 3
MIN_LESION_MM3: Final = 50.0
"""Lesions up to this volume count neither as found nor as missed. A component that touches one is not false."""


@dataclass(frozen=True)
class LesionScores:
    """The lesion-wise scores of a structure.

    Attributes:
        dice: mean over found, missed and false lesions; a missed or false lesion counts as 0.
        hd95_mm: mean over found, missed and false lesions; a missed or false lesion counts as 374.
        found: number of lesions that a predicted component touches: that share a voxel with it after the dilations.
        missed: number of lesions that no predicted component touches.
        false: number of predicted components that touch no lesion.
    """

    dice: float
    hd95_mm: float
    found: int
    missed: int
    false: int


def lesion_scores(reference: NDArray[np.bool_], prediction: NDArray[np.bool_], spacing_mm: Spacing) -> LesionScores:
    """Return the lesion-wise Dice and HD95 of a structure.

    A missed or false lesion has Dice 0 and HD95 374. Without any lesion, Dice is 1 and HD95 is 0.

    Args:
        reference: mask, bool (X, Y, Z). At least one of the two masks is not empty.
        prediction: mask, bool, of the same shape.
        spacing_mm: voxel edges along X, Y and Z.

    Returns:
        The scores and the numbers of found, missed and false lesions.

    References:
        Moawad et al. 2024, arXiv:2306.00838.

    Example:
        >>> lesion = np.zeros((20, 20, 20), bool)
        >>> lesion[2:7, 2:7, 2:7] = True
        >>> lesion_scores(lesion, lesion, (1.0, 1.0, 1.0)).found
        1
    """
    touching = _find_lesions(reference, prediction)
    counted = [lesion for lesion, mm3 in touching.lesion_mm3(spacing_mm).items() if mm3 > MIN_LESION_MM3]
    found = [lesion for lesion in counted if touching.touches[lesion].any()]
    pairs = [_score_lesion(*touching.masks(lesion), spacing_mm) for lesion in found]
    false = len(touching.false_components)
    missed = len(counted) - len(found)
    total = len(counted) + false
    if total == 0:
        return LesionScores(1.0, 0.0, 0, 0, 0)
    return LesionScores(
        dice=sum(dice for dice, _ in pairs) / total,
        hd95_mm=(sum(hd95 for _, hd95 in pairs) + WORST_HD95_MM * (missed + false)) / total,
        found=len(found),
        missed=missed,
        false=false,
    )


@dataclass(frozen=True)
class LesionOutcome:
    """A lesion of the reference, or a false one.

    Attributes:
        outcome: `found`, if a predicted component touches the lesion; `missed`; `false`, a component without a lesion.
        mm3: volume of the lesion in the reference, or of the false component.
        dice: Dice of the lesion with all components that touch it; 0 if missed or false.
    """

    outcome: Literal["found", "missed", "false"]
    mm3: float
    dice: float


def lesion_outcomes(
    reference: NDArray[np.bool_], prediction: NDArray[np.bool_], spacing_mm: Spacing
) -> list[LesionOutcome]:
    """Return each lesion and each false lesion of a structure, as `lesion_scores` finds them.

    Lesions of at most `MIN_LESION_MM3` are included, although the lesion-wise scores do not count them.

    Args:
        reference: mask, bool (X, Y, Z). It may be empty.
        prediction: mask, bool, of the same shape. It may be empty.
        spacing_mm: voxel edges along X, Y and Z.

    Returns:
        The lesions of the reference, then the false ones.

    Example:
        >>> lesion = np.zeros((20, 20, 20), bool)
        >>> lesion[2:7, 2:7, 2:7] = True
        >>> lesion_outcomes(lesion, lesion, (1.0, 1.0, 1.0))
        [LesionOutcome(outcome='found', mm3=125.0, dice=1.0)]
    """
    if not (reference.any() or prediction.any()):
        return []
    touching = _find_lesions(reference, prediction)
    outcomes: list[LesionOutcome] = []
    for lesion, mm3 in touching.lesion_mm3(spacing_mm).items():
        found = bool(touching.touches[lesion].any())
        dice = _dice(*touching.masks(lesion)) if found else 0.0
        outcomes.append(LesionOutcome("found" if found else "missed", mm3, dice))
    voxel_mm3 = float(np.prod(spacing_mm))
    voxels = np.bincount(touching.component_of.ravel())
    return [
        *outcomes,
        *(LesionOutcome("false", float(voxels[part] * voxel_mm3), 0.0) for part in touching.false_components),
    ]


@dataclass(frozen=True, eq=False)
class _TouchingLesions:
    """The lesions of a reference and the components of a prediction, in the box around both, and which of them touch.

    Attributes:
        lesion_of: number of the lesion at each voxel of the reference, 0 outside.
        component_of: number of the component at each voxel of the prediction, 0 outside.
        touches: whether a lesion (rows, from 1) and a component (columns, from 1) touch, bool.
    """

    lesion_of: NDArray[np.integer]
    component_of: NDArray[np.integer]
    touches: NDArray[np.bool_]

    @property
    def false_components(self) -> list[int]:
        """Numbers of the components that touch no lesion."""
        return [int(number) for number in np.flatnonzero(~self.touches.any(axis=0)) if number]

    def lesion_mm3(self, spacing_mm: Spacing) -> dict[int, float]:
        """Return the volume of each lesion, by number."""
        voxels = np.bincount(self.lesion_of.ravel(), minlength=len(self.touches))
        x, y, z = spacing_mm
        return {lesion: float(voxels[lesion] * x * y * z) for lesion in range(1, len(self.touches))}

    def masks(self, lesion: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the mask of a lesion and that of all components that touch it."""
        return self.lesion_of == lesion, self.touches[lesion][self.component_of]


def _find_lesions(reference: NDArray[np.bool_], prediction: NDArray[np.bool_]) -> _TouchingLesions:
    box = box_slices(bounding_box(reference | prediction))
    reference, prediction = reference[box], prediction[box]
    # Cropping to the box does not change which voxels dilation joins: a path outside the box has one along its edge.
    dilated, lesions = connected_components(_dilate(reference))
    component_of, components = connected_components(prediction)
    touches = np.zeros((lesions + 1, components + 1), bool)
    touches[dilated[prediction], component_of[prediction]] = True
    touches[0] = False
    return _TouchingLesions(np.where(reference, dilated, 0), component_of, touches)


def _dice(lesion: NDArray[np.bool_], matched: NDArray[np.bool_]) -> float:
    shared = np.count_nonzero(lesion & matched)
    return float(2 * shared / (np.count_nonzero(lesion) + np.count_nonzero(matched)))


def _score_lesion(lesion: NDArray[np.bool_], matched: NDArray[np.bool_], spacing_mm: Spacing) -> tuple[float, float]:
    """Return Dice and HD95 (mm) of a lesion and the predicted components that touch it."""
    return _dice(lesion, matched), surface_distances(lesion, matched, spacing_mm).hausdorff95()


def _dilate(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask after three dilations with the 18 neighbours that share a face or an edge."""
    for _ in range(DILATIONS):
        x, y, z = (_dilate_along_axis(mask, axis) for axis in range(3))
        mask = _dilate_along_axis(x, 1) | _dilate_along_axis(y, 2) | _dilate_along_axis(z, 0)
    return mask


def _dilate_along_axis(mask: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Return a mask dilated by one voxel in both directions of an axis."""
    dilated = mask.copy()
    target, source = np.moveaxis(dilated, axis, 0), np.moveaxis(mask, axis, 0)
    target[1:] |= source[:-1]
    target[:-1] |= source[1:]
    return dilated


def _pair_lesion_scores(pair: StructurePair) -> LesionScores:
    return lesion_scores(pair.reference, pair.prediction, pair.spacing_mm)


LESIONWISE_DICE: Final = Metric(
    "lesionwise_dice",
    lambda pair: pair.compute_once(_pair_lesion_scores).dice,
    title="Lesion-wise Dice",
    definition="BraTS 2023: mean over the lesions of the Dice of a lesion with all predicted components that touch it "
    "after three dilations. A missed lesion and a predicted component that touches no lesion count as 0; 1 without "
    "either. Components are 26-connected. Lesions that three dilations join are one. Lesions of at most 0.05 ml "
    "(50 mm³) count neither as found nor as missed",
    better="higher",
    best=1,
    worst=0,
    counts_empty=True,
    needs="reference",
    places=("headline", "report", "report_cases", "case_figure", "terminal", "model_card", "ranking"),
    challenge="BraTS 2023",
)
LESIONWISE_HD95: Final = Metric(
    "lesionwise_hd95",
    lambda pair: pair.compute_once(_pair_lesion_scores).hd95_mm,
    title="Lesion-wise HD95",
    definition="BraTS 2023, mm: mean of the HD95 of each lesion, as for lesion-wise Dice. A missed or false lesion "
    "counts as 374; 0 without either",
    better="lower",
    best=0,
    worst=WORST_HD95_MM,
    counts_empty=True,
    unit="mm",
    decimals=1,
    places=("headline", "report", "report_cases", "terminal", "model_card", "ranking"),
    challenge="BraTS 2023",
)

LESION_COUNTS: Final = (
    Count(
        "lesions_found",
        lambda pair: pair.compute_once(_pair_lesion_scores).found,
        "lesions of all cases that a predicted component touches, see lesionwise_dice",
    ),
    Count(
        "lesions_missed",
        lambda pair: pair.compute_once(_pair_lesion_scores).missed,
        "lesions of all cases that no predicted component touches",
    ),
    Count(
        "lesions_false",
        lambda pair: pair.compute_once(_pair_lesion_scores).false,
        "predicted components of all cases that touch no lesion",
    ),
)
