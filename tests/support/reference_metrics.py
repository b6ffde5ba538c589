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


def challenge_lesions_2026(reference, prediction, spacing) -> list[tuple[float, ...]]:
    """Return the scores of pairs as in BraTS 2025 and 2026, of each of the best matchings; neither mask may be empty.

    A tuple has the numbers of found, missed and false lesions, and then the mean and standard deviation of Dice, NSD
    and HD95. All matchings are tried.
    """
    lesions, components = (_component_masks(mask) for mask in (reference, prediction))
    overlaps = {
        (i, j): float(dice)
        for i, lesion in enumerate(lesions)
        for j, component in enumerate(components)
        if (dice := 2 * (lesion & component).sum() / (lesion.sum() + component.sum())) >= 1e-6
    }
    matchings = list(_matchings(list(overlaps), frozenset()))
    sums = [sum(overlaps[pair] + 1e-6 for pair in matching) for matching in matchings]
    best = [matching for matching, total in zip(matchings, sums, strict=True) if total >= max(sums) - 1e-9]
    found = []
    for matching in best:
        scores = [
            (overlaps[i, j], *nsd_and_hd95(lesions[i], components[j], spacing, min(spacing))) for i, j in matching
        ]
        counts = (len(scores), len(lesions) - len(scores), len(components) - len(scores))
        means = np.stack([np.mean(scores, axis=0), np.std(scores, axis=0)], axis=1).ravel() if scores else ()
        found.append((*counts, *map(float, means)))
    return found


def nsd_and_hd95(reference, prediction, spacing, tolerance) -> tuple[float, float]:
    """Return NSD and HD95 of two masks as in BraTS 2025 and 2026, from distance maps of the whole grid."""
    borders = [mask & ~ndimage.binary_erosion(mask) for mask in (reference, prediction)]
    maps = [ndimage.distance_transform_edt(~border, sampling=spacing) for border in borders]
    distances = [maps[1][borders[0]], maps[0][borders[1]]]
    nsd = np.mean([np.mean(one <= tolerance) for one in distances])
    return float(nsd), float(np.percentile(np.concatenate(distances), 95))


def _component_masks(mask) -> list[np.ndarray]:
    numbers, count = ndimage.label(mask, EVERY_NEIGHBOUR)
    return [numbers == number for number in range(1, count + 1)]


def _matchings(pairs, used):
    """Yield each set of pairs in which every lesion and every component occurs once at most."""
    if not pairs:
        yield ()
        return
    (lesion, component), *others = pairs
    yield from _matchings(others, used)
    if not used & {("lesion", lesion), ("component", component)}:
        for matching in _matchings(others, used | {("lesion", lesion), ("component", component)}):
            yield ((lesion, component), *matching)


def _dilated(mask):
    return ndimage.binary_dilation(mask, ndimage.generate_binary_structure(3, 2), iterations=3)
