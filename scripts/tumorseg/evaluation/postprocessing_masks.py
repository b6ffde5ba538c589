"""Score a case after each candidate of post-processing, and before and after the chosen one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.configuration.postprocessing_candidates import Candidate
from tumorseg.evaluation.held_out_masks import CaseMasks
from tumorseg.inference.postprocessing import STEPS, Step, postprocess, smallest_first
from tumorseg.metrics.overlap import label_bounding_box, overlaps
from tumorseg.metrics.pair import CasePair
from tumorseg.metrics.registry import metric
from tumorseg.task import Task

SCORES: Final = ("dice", "lesionwise_dice")
"""The scores whose gain is reported."""


def crop_to_labels(masks: CaseMasks, task: Task) -> CaseMasks:
    """Return the masks in the smallest box around the labels of both.

    Post-processing leads to the same labels there: with nothing but background outside, components and holes stay the
    same.

    Args:
        masks: the masks of a case.
        task: defines the labels.
    """
    box = label_bounding_box(masks.reference, masks.prediction, task.classes)
    reference, prediction = (np.ascontiguousarray(mask[box]) for mask in (masks.reference, masks.prediction))
    return CaseMasks(reference, prediction, masks.spacing_mm)


def present_structures(mask: NDArray[np.uint8], task: Task) -> NDArray[np.bool_]:
    """Return whether a mask has a voxel of each structure, bool (structures,).

    Args:
        mask: canonical labels, uint8 (x, y, z).
        task: defines the structures.
    """
    return np.array([np.isin(mask, labels).any() for labels in task.structures.values()])


def candidate_dice(
    masks: CaseMasks, voxel_mm3: float, candidates: Sequence[Candidate], task: Task
) -> NDArray[np.float64]:
    """Return the Dice of each structure after each candidate, float64 (candidates, structures).

    Args:
        masks: the masks of a case before post-processing.
        voxel_mm3: volume of a voxel in mm³.
        candidates: settings of post-processing.
        task: defines the structures.
    """
    processed, number_of = distinct_masks(masks.prediction, voxel_mm3, candidates, task)
    dice = [[overlap.dice for overlap in overlaps(masks.reference, mask, task).values()] for mask in processed]
    return np.array(dice)[number_of]


def distinct_masks(
    mask: NDArray[np.uint8], voxel_mm3: float, candidates: Sequence[Candidate], task: Task
) -> tuple[list[NDArray[np.uint8]], list[int]]:
    """Return the different masks that the candidates lead to, and the number of the mask of each candidate.

    The masks equal those of `postprocess`. A step runs once for each different mask and setting, as most candidates
    share their first steps, and many lead to the same mask.

    Args:
        mask: canonical labels before post-processing, uint8 (x, y, z).
        voxel_mm3: volume of a voxel in mm³.
        candidates: settings of post-processing.
        task: defines the regions.
    """
    found, number_by_digest = [mask], {_digest(mask): 0}
    done: dict[tuple[int, str, str], int] = {}
    number_of = []
    for candidate in candidates:
        number = 0
        for step, setting in _single_runs(candidate, task):
            key = (number, step.name, repr(setting))
            if key not in done:
                changed = found[number].copy()
                step.run(changed, voxel_mm3, setting, task)
                done[key] = number_by_digest.setdefault(_digest(changed), len(found))
                if done[key] == len(found):
                    found.append(changed)
            number = done[key]
        number_of.append(number)
    return found, number_of


def _single_runs(candidate: Candidate, task: Task) -> Iterator[tuple[Step, Any]]:
    """Yield each step with its setting; the removal of components once for each region, so that candidates share it."""
    for step in STEPS:
        if step.name != "remove_components":
            yield step, candidate[step.name]
            continue
        for region in smallest_first(task):
            if volume := candidate[step.name][region.name]:
                yield step, {region.name: volume}


def scores_before_and_after(
    masks: CaseMasks, voxel_mm3: float, candidate: Candidate, task: Task
) -> NDArray[np.float64]:
    """Return the scores before and after post-processing, float64 (2, structures, scores), in the order of `SCORES`.

    Args:
        masks: the masks of a case before post-processing.
        voxel_mm3: volume of a voxel in mm³.
        candidate: settings of post-processing.
        task: defines the structures.
    """
    processed, _ = postprocess(masks.prediction, voxel_mm3, candidate, task)
    before = _scores(masks, task)
    unchanged = np.array_equal(processed, masks.prediction)
    return np.array([before, before if unchanged else _scores(replace(masks, prediction=processed), task)])


def _scores(masks: CaseMasks, task: Task) -> NDArray[np.float64]:
    """Return the scores of the prediction, float64 (structures, scores)."""
    pair = CasePair.from_masks(masks.reference, masks.prediction, masks.spacing_mm, task=task, surface_tolerance_mm=0)
    structures = map(pair.structure, task.structures.values())
    return np.array([[metric(name).score(structure) for name in SCORES] for structure in structures])


def _digest(mask: NDArray[np.uint8]) -> bytes:
    return sha256(mask.tobytes()).digest()
