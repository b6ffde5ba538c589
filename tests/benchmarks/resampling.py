"""What remains of the masks of real cases after resampling and back, and the time it takes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml

from tests.benchmarks.timing import Figure, best_seconds
from tests.support.builders import REPOSITORY
from tests.support.case_files import TASK, check_case
from tumorseg.cohort.discovery import discover_cases
from tumorseg.metrics.overlap import overlaps
from tumorseg.preprocessing.normalisation import normalise_validated_case, resample_case
from tumorseg.preprocessing.resampling import restore_probabilities
from tumorseg.preprocessing.store import NormalisedCase

SPACINGS_MM = (1.5, 2, 2.5, 3)
TIMED_SPACING_MM = 2


def figures(root: Path) -> Iterator[Figure]:
    """Yield the Dice of resampled and restored masks with the original ones, and milliseconds per case."""
    settings = yaml.safe_load((REPOSITORY / "config.yaml").read_text())["normalisation"]
    results = [check_case(root, files, shape=None, labels="auto") for files in discover_cases(root, TASK)]
    for spacing in SPACINGS_MM:
        cases = [
            normalise_validated_case(root, result, settings | {"spacing_mm": spacing}, task=TASK) for result in results
        ]
        dice = [_dice_of_round_trip(case) for case in cases]
        for region in TASK.regions:
            values = [of_case[region.name] for of_case in dice]
            least = 0.93 if (region.name, spacing) == ("WT", TIMED_SPACING_MM) else None
            yield Figure(
                f"{region.name} of {len(values)} masks at {spacing} mm and back, mean Dice", np.mean(values), ""
            )
            yield Figure(
                f"{region.name} of {len(values)} masks at {spacing} mm and back, lowest", min(values), "", least=least
            )
        if spacing == TIMED_SPACING_MM:
            yield from _milliseconds(cases[0])


def _dice_of_round_trip(case: NormalisedCase) -> dict[str, float]:
    restored = restore_probabilities(_one_hot(case.mask), case.origin.resampled).argmax(axis=0).astype(np.uint8)
    return {name: overlap.dice for name, overlap in overlaps(case.on_cropped_grid().mask, restored, TASK).items()}


def _one_hot(mask: np.ndarray) -> np.ndarray:
    return np.stack([mask == label for label in range(TASK.classes)]).astype(np.float32)


def _milliseconds(case: NormalisedCase) -> Iterator[Figure]:
    cropped = NormalisedCase(case.cropped.image, case.cropped.mask, case.origin)
    probabilities = _one_hot(case.mask)
    best = best_seconds(
        {
            "resample images and mask": lambda: resample_case(cropped),
            "restore probabilities": lambda: restore_probabilities(probabilities, case.origin.resampled),
        }
    )
    for name, seconds in best.items():
        yield Figure(f"{name} of a case, {TIMED_SPACING_MM} mm, one thread", seconds * 1000, "ms")
