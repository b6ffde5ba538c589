"""Lesion-wise scores of BraTS 2025 and 2026: each lesion is compared with at most one predicted component.

The scores equal those of the challenge's evaluation package (https://github.com/BraTS/BraTS_evaluation), which uses
panoptica (Kofler et al. 2023, arXiv:2312.02608). `lesions` has the scores of BraTS 2023, which are different ones.

Components are 26-connected, without dilation. `lesion_matching` chooses the pairs. Distances are measured between
border voxels, as in `border_hausdorff`. Some facts are in no description of the scores; the package's values show them:

- It reads files with SimpleITK, whose arrays have the axes Z, Y, X, but uses the voxel edges in the order X, Y, Z. The
  edge along X is therefore used along Z, and that along Z along X.
- The scores of the whole structure ignore the voxel size: HD95 is in voxels, and the tolerance of NSD is 0.5 voxels.
- They are the worst if reference and prediction share no voxel, however near they are.

Releases 0.0.9 and 0.0.10 of the package also include missed and false lesions, as 0 and 373, in the means of large
lesions of metastases. Its published examples do not, and neither do these scores.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.geometry import bounding_box, box_slices
from tumorseg.metrics.border_hausdorff import border_voxels
from tumorseg.metrics.distances import nearest_distances
from tumorseg.metrics.input_checks import as_mask_pair, as_spacing
from tumorseg.metrics.lesion_matching import LesionMatching, match_lesions
from tumorseg.metrics.surface_elements import Spacing

MIN_PAIR_DICE: Final = 1e-6
LARGE_LESION_MM3: Final = 20.0
"""In metastases, smaller lesions count for detection only."""
DETECTION_DICE: Final = 0.1
"""A small lesion is found if the Dice of its pair is at least this."""
WORST_HD95_2026: Final = 373.0
"""HD95 without any pair, about the diagonal of the BraTS grid in mm."""
GLOBAL_TOLERANCE_VOXELS: Final = 0.5


@dataclass(frozen=True)
class Detection:
    """Numbers of lesions.

    Attributes:
        found: lesions with a component.
        missed: lesions without a component.
        false: components without a lesion.
    """

    found: int
    missed: int
    false: int

    @property
    def f1(self) -> float:
        """2 found / (2 found + missed + false); not a number without lesions and components."""
        total = 2 * self.found + self.missed + self.false
        return 2 * self.found / total if total else math.nan


@dataclass(frozen=True)
class PairScores:
    """Means over pairs of a lesion and a component, and standard deviations (of the population).

    Attributes:
        dice: mean Dice.
        dice_std: its standard deviation.
        nsd: mean normalised surface Dice: the mean of the shares of both borders that are at most the shortest voxel
            edge away from the other one.
        nsd_std: its standard deviation.
        hd95_mm: mean HD95: the 95th percentile of the distances of both borders together.
        hd95_std_mm: its standard deviation.
    """

    dice: float
    dice_std: float
    nsd: float
    nsd_std: float
    hd95_mm: float
    hd95_std_mm: float


@dataclass(frozen=True)
class GlobalScores:
    """Scores of the whole structure, not of its lesions.

    Attributes:
        dice: Dice.
        nsd: normalised surface Dice as in `PairScores`, with a tolerance of 0.5 voxels.
        hd95_voxels: HD95 as in `PairScores`, in voxels.
    """

    dice: float
    nsd: float
    hd95_voxels: float


@dataclass(frozen=True)
class LesionScores2026:
    """The scores of a structure in BraTS 2025 and 2026. Scores that do not exist are not a number.

    Attributes:
        lesions: numbers of all lesions.
        pairs: means over all pairs. Without pairs the worst values (0 and 373), and no standard deviations; without
            lesions and components nothing.
        large_pairs: for metastases: means over the pairs of lesions of at least 20 mm³. Without pairs the worst values;
            without lesions of this size nothing.
        small_lesions: for metastases: numbers of lesions of less than 20 mm³, found from a Dice of 0.1 on. All false
            components count. None without lesions of this size.
        whole: scores of the whole structure. The worst values if reference and prediction share no voxel; nothing if
            both are empty.
    """

    lesions: Detection
    pairs: PairScores
    large_pairs: PairScores
    small_lesions: Detection | None
    whole: GlobalScores


_Masks = tuple[NDArray[np.bool_], NDArray[np.bool_]]
_NO_PAIR_SCORES: Final = PairScores(*[math.nan] * 6)


def lesion_scores_2026(
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: Spacing,
    *,
    exchange_edges: bool = True,
) -> LesionScores2026:
    """Return the scores of a structure in BraTS 2025 and 2026.

    Args:
        reference: mask, bool (X, Y, Z). It may be empty.
        prediction: mask, bool, of the same shape. It may be empty.
        spacing_mm: voxel edges along X, Y and Z.
        exchange_edges: whether to exchange the edges along X and Z, as the challenge's package does with files. False
            measures in true mm, as panoptica does with arrays. It matters only if these edges differ.

    Returns:
        The scores.

    Raises:
        ValueError: a mask is not bool, the shapes differ, or the spacing is not three positive lengths.

    References:
        Kofler et al. 2023, arXiv:2312.02608. The limits, and the values for empty masks, are those of
        https://github.com/BraTS/BraTS_evaluation.

    Example:
        >>> reference = np.zeros((20, 20, 20), bool)
        >>> reference[2:7, 2:7, 2:7] = reference[12:15, 12:15, 12:15] = True
        >>> prediction = reference.copy()
        >>> prediction[12:15] = False
        >>> scores = lesion_scores_2026(reference, prediction, (1.0, 1.0, 1.0))
        >>> scores.lesions
        Detection(found=1, missed=1, false=0)
        >>> scores.pairs.dice
        1.0
    """
    reference, prediction = as_mask_pair(reference, prediction)
    spacing_mm = as_spacing(spacing_mm)
    if exchange_edges:
        # Not only the edges: the order of the axes also decides between equally good matchings.
        reference, prediction = reference.T, prediction.T
    box = box_slices(bounding_box(reference | prediction))
    reference, prediction = np.ascontiguousarray(reference[box]), np.ascontiguousarray(prediction[box])
    borders = border_voxels(reference), border_voxels(prediction)
    matching = match_lesions(reference, prediction, min_dice=MIN_PAIR_DICE)
    lesions = Detection(len(matching.pairs), matching.missed, matching.false)
    scores = _score_pairs(matching, borders, spacing_mm)
    is_large = matching.lesion_voxels * float(np.prod(spacing_mm)) >= LARGE_LESION_MM3
    pair_is_large = is_large[matching.pairs[:, 0] - 1]
    has_any = bool(len(matching.lesion_voxels) or len(matching.component_voxels))
    return LesionScores2026(
        lesions=lesions,
        pairs=_mean_scores(scores, std_without_pairs=math.nan) if has_any else _NO_PAIR_SCORES,
        large_pairs=_mean_scores(scores[pair_is_large], std_without_pairs=0) if is_large.any() else _NO_PAIR_SCORES,
        small_lesions=None if is_large.all() else _small_lesions(matching, is_large),
        whole=_global_scores(reference, prediction, borders) if has_any else GlobalScores(*[math.nan] * 3),
    )


def _score_pairs(matching: LesionMatching, borders: _Masks, spacing_mm: Spacing) -> NDArray[np.float64]:
    """Return Dice, NSD and HD95 in mm of each pair, float64 (pairs, 3).

    borders: border voxels of the whole masks. Those of a lesion are among them, since its neighbours are its own.
    """
    lesion_boxes, component_boxes = map(ndimage.find_objects, (matching.lesion_of, matching.component_of))
    scores = np.empty((len(matching.pairs), 3))
    for row, (lesion, component) in enumerate(matching.pairs):
        box = tuple(
            slice(min(first.start, second.start), max(first.stop, second.stop))
            for first, second in zip(lesion_boxes[lesion - 1], component_boxes[component - 1], strict=True)
        )
        distances = _distances(
            borders[0][box] & (matching.lesion_of[box] == lesion),
            borders[1][box] & (matching.component_of[box] == component),
            spacing_mm,
        )
        scores[row] = (matching.dice[row], _nsd(*distances, min(spacing_mm)), _hd95(*distances))
    return scores


def _distances(
    reference: NDArray[np.bool_], prediction: NDArray[np.bool_], spacing_mm: Spacing
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distances of the border voxels of the reference to those of the prediction, and the reverse."""
    return nearest_distances(reference, prediction, spacing_mm), nearest_distances(prediction, reference, spacing_mm)


def _nsd(from_reference: NDArray[np.float64], from_prediction: NDArray[np.float64], tolerance: float) -> float:
    """Return the mean of the shares of both borders within the tolerance. Not weighted by area, unlike surface Dice."""
    return float((np.mean(from_reference <= tolerance) + np.mean(from_prediction <= tolerance)) / 2)


def _hd95(from_reference: NDArray[np.float64], from_prediction: NDArray[np.float64]) -> float:
    """Return the 95th percentile of the distances of both borders together."""
    return float(np.percentile(np.concatenate([from_reference, from_prediction]), 95))


def _mean_scores(scores: NDArray[np.float64], *, std_without_pairs: float) -> PairScores:
    if not len(scores):
        return PairScores(0.0, std_without_pairs, 0.0, std_without_pairs, WORST_HD95_2026, std_without_pairs)
    means, deviations = scores.mean(axis=0), scores.std(axis=0)
    return PairScores(*(float(number) for number in np.stack([means, deviations], axis=1).ravel()))


def _small_lesions(matching: LesionMatching, is_large: NDArray[np.bool_]) -> Detection:
    """Return the numbers of small lesions; at least one lesion is small."""
    is_found = ~is_large[matching.pairs[:, 0] - 1] & (matching.dice >= DETECTION_DICE)
    found = int(np.count_nonzero(is_found))
    return Detection(found, int(np.count_nonzero(~is_large)) - found, matching.false)


def _global_scores(reference: NDArray[np.bool_], prediction: NDArray[np.bool_], borders: _Masks) -> GlobalScores:
    """Return the scores of the whole structure, which is in at least one of the masks."""
    shared = int(np.count_nonzero(reference & prediction))
    if not shared:
        return GlobalScores(0.0, 0.0, WORST_HD95_2026)
    voxels = int(np.count_nonzero(reference)) + int(np.count_nonzero(prediction))
    distances = _distances(*borders, (1.0, 1.0, 1.0))
    return GlobalScores(2 * shared / voxels, _nsd(*distances, GLOBAL_TOLERANCE_VOXELS), _hd95(*distances))
