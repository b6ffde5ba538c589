"""Scoring full-size cases: all scores, and HD95 and lesion-wise scores against other implementations."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import torch
from scipy import ndimage

from tests.benchmarks.timing import Figure, best_seconds
from tests.support.builders import structure_mask
from tests.support.reference_metrics import challenge_lesions
from tumorseg.cohort.discovery import discover_cases
from tumorseg.metrics.border_hausdorff import border_hausdorff95
from tumorseg.metrics.lesions import lesion_scores
from tumorseg.metrics.structure_scores import case_scores
from tumorseg.metrics.surface import surface_distances
from tumorseg.task import load_task

TASK = load_task()
CASES = 4
ROUNDS = 2
MILLIMETRE = (1.0, 1.0, 1.0)


def figures(root: Path) -> Iterator[Figure]:
    """Yield seconds per case and ratios on one thread, for synthetic predictions of real cases below `root`."""
    with warnings.catch_warnings(action="ignore"):
        from medpy.metric.binary import hd95 as medpy_hd95
        from monai.metrics import compute_hausdorff_distance
    torch.set_num_threads(1)
    pairs, regions, stacks = [], [], []
    for number, case in enumerate(discover_cases(root, TASK)[:CASES]):
        file = nibabel.load(root / case.files["seg"][0])
        reference = np.asarray(file.dataobj).astype(np.uint8)
        pairs.append((reference, synthetic_prediction(reference, number)))
        masks = [[structure_mask(mask, region) for mask in pairs[-1]] for region in TASK.region_labels]
        regions += masks
        stacks.append([torch.from_numpy(np.stack(one)[None]) for one in zip(*masks, strict=True)])

    def for_regions(score):
        return lambda: [score(reference, prediction, MILLIMETRE) for reference, prediction in regions]

    def monai():
        with warnings.catch_warnings(action="ignore"):
            for reference, prediction in stacks:
                compute_hausdorff_distance(prediction, reference, include_background=True, percentile=95)

    each_case = {
        f"case {number}": lambda pair=pair: case_scores(*pair, MILLIMETRE, task=TASK, surface_tolerance_mm=1)
        for number, pair in enumerate(pairs)
    }
    best = best_seconds(
        each_case
        | {
            "hd95": for_regions(lambda *masks: surface_distances(*masks).hausdorff95()),
            "hd95_border": for_regions(border_hausdorff95),
            "monai": monai,
            "medpy": for_regions(medpy_hd95),
            "lesions": for_regions(lesion_scores),
            "challenge": for_regions(challenge_lesions),
        },
        rounds=ROUNDS,
    )
    hd95, border, lesions = (best[name] for name in ("hd95", "hd95_border", "lesions"))
    seconds = [best[name] for name in each_case]
    yield Figure("all scores of 3 regions and 3 labels of a case, one thread, mean", np.mean(seconds), "s", most=1.5)
    yield Figure("the same, the slowest case", max(seconds), "s")
    yield Figure("HD95 of 3 regions, as in the challenge", hd95 / CASES, "s")
    yield Figure("HD95 of 3 regions, as in MONAI", border / CASES, "s")
    yield Figure("MONAI's HD95 / HD95 as in the challenge", best["monai"] / hd95, "", least=3)
    yield Figure("MONAI's HD95 / the same here", best["monai"] / border, "", least=3)
    yield Figure("medpy's HD95 / HD95 as in the challenge", best["medpy"] / hd95, "", least=20)
    yield Figure("medpy's HD95 / HD95 as in MONAI", best["medpy"] / border, "", least=20)
    yield Figure("lesion-wise scores of 3 regions", lesions / CASES, "s")
    yield Figure("the challenge's algorithm, implemented literally / the same here", best["challenge"] / lesions, "")


def synthetic_prediction(reference, seed: int):
    """Return a plausible prediction: the reference deformed by some voxels, without fine detail, with false parts."""
    rng = np.random.default_rng(seed)
    shape = reference.shape
    displacement = [3 * ndimage.zoom(rng.normal(size=[side // 20 + 2 for side in shape]), 20, order=1) for _ in shape]
    coordinates = [
        grid + shift[tuple(map(slice, shape))] for grid, shift in zip(np.indices(shape), displacement, strict=True)
    ]
    prediction = ndimage.map_coordinates(reference, coordinates, order=0)
    prediction[ndimage.median_filter(prediction, 3) == 0] = 0
    tumour = np.argwhere(reference)
    for label in (1, 2, 2, 4):
        centre = tumour[rng.integers(len(tumour))] + rng.integers(-25, 26, 3)
        part = prediction[tuple(slice(max(0, voxel - 4), voxel + 4) for voxel in centre)]
        part[part == 0] = label
    return prediction
