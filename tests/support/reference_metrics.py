"""Metrics of other implementations: computed by their definitions over the whole grid, and slowly."""

import warnings

import numpy as np
from scipy import ndimage

WORST_HD95 = 374.0
EVERY_NEIGHBOUR = np.ones((3, 3, 3), bool)


def deepmind_distances(reference, prediction, spacing):
    """Return the surface distances of DeepMind's package. Neither mask may be empty."""
    with warnings.catch_warnings(action="ignore"):  # it uses deprecated names of SciPy
        from surface_distance import compute_surface_distances

        return compute_surface_distances(reference, prediction, spacing)


def deepmind_hausdorff95(reference, prediction, spacing) -> float:
    from surface_distance import compute_robust_hausdorff

    return compute_robust_hausdorff(deepmind_distances(reference, prediction, spacing), 95)


def deepmind_surface_dice(reference, prediction, spacing, tolerance) -> float:
    from surface_distance import compute_surface_dice_at_tolerance

    return compute_surface_dice_at_tolerance(deepmind_distances(reference, prediction, spacing), tolerance)


def challenge_lesions(reference, prediction, spacing) -> tuple[float, float, int, int, int]:
    """Return lesion-wise Dice and HD95, found lesions, missed lesions and false components as in BraTS 2023."""
    lesions, lesion_count = ndimage.label(_dilated(reference), EVERY_NEIGHBOUR)
    components, component_count = ndimage.label(prediction, EVERY_NEIGHBOUR)
    dice, hd95, found, missed, matched_ever = 0.0, 0.0, 0, 0, set()
    for number in range(1, lesion_count + 1):
        lesion = reference & (lesions == number)
        numbers = set(np.unique(components[_dilated(lesion)])) - {0}
        matched_ever |= numbers
        if lesion.sum() * np.prod(spacing) <= 50:
            continue
        if not numbers:
            missed += 1
            hd95 += WORST_HD95
            continue
        found += 1
        matched = np.isin(components, list(numbers))
        dice += 2 * (lesion & matched).sum() / (lesion.sum() + matched.sum())
        hd95 += deepmind_hausdorff95(lesion, matched, spacing)
    false = component_count - len(matched_ever)
    everything = found + missed + false
    if everything == 0:
        return 1.0, 0.0, 0, 0, 0
    return dice / everything, (hd95 + WORST_HD95 * false) / everything, found, missed, false


def _dilated(mask):
    return ndimage.binary_dilation(mask, ndimage.generate_binary_structure(3, 2), iterations=3)
