"""The scores of BraTS 2025 and 2026 against panoptica, which the challenge uses: the same values, and the time.

The settings of panoptica are those of the challenge. The values are compared on small random scenes, also of noise with
many equally good matchings. The time is that of a random scene of full size, and of the examples of the challenge's
package where they are present. Both start from arrays in memory. Here all regions and labels are scored, by panoptica
the regions only.
"""

import logging
import os
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from functools import cache
from typing import Any

import numpy as np
import pytest

os.environ["PANOPTICA_CITATION_REMINDER"] = "false"  # read when panoptica is imported

from panoptica import ConnectedComponentsInstanceApproximator, InputType, MaxBipartiteMatching, Metric
from panoptica import Panoptica_Evaluator as Evaluator
from panoptica.utils.edge_case_handling import EdgeCaseHandler, EdgeCaseResult, MetricZeroTPEdgeCaseHandling
from panoptica.utils.label_group import LabelMergeGroup
from panoptica.utils.segmentation_class import SegmentationClassGroups

from tests.benchmarks.timing import Figure, best_seconds
from tests.support.case_files import challenge_cases_2026
from tests.support.random_masks import SPACINGS, lesion_pair
from tumorseg.evaluation.masks import MaskReadOptions, read_predicted_mask, read_reference
from tumorseg.metrics.lesions_2026 import WORST_HD95_2026, LesionScores2026, lesion_scores_2026
from tumorseg.metrics.structure_scores_2026 import case_scores_2026
from tumorseg.task import load_task

METASTASES = load_task("brats-metastases")
SCENES = 400
ROUNDS = 4
FULL_SIZE = (240, 240, 155)
LESIONS = 30
RESULTS = (
    *("tp", "fn", "fp"),
    *("sq_dsc", "sq_dsc_std", "sq_nsd", "sq_nsd_std", "sq_hd95", "sq_hd95_std"),
    *("global_bin_dsc", "global_bin_nsd", "global_bin_hd95"),
)
"""Panoptica's names of the numbers that are compared."""


def figures() -> Iterator[Figure]:
    """Yield the largest difference of a number, and how much longer panoptica takes."""
    yield Figure(
        f"largest difference from panoptica, {SCENES} scenes", largest_difference(range(SCENES)), "", most=1e-9
    )
    cases = {"a random scene of full size": (*large_scene(), (1.0, 1.0, 1.0))}
    try:
        cases |= challenge_cases()
    except pytest.skip.Exception as reason:
        print(f"skipped: examples of the challenge: {reason}")
    for name, case in cases.items():
        best = best_seconds(
            {
                "here": lambda case=case: case_scores_2026(*case, task=METASTASES),
                "panoptica": lambda case=case: panoptica_of_regions(*case),
            },
            rounds=ROUNDS,
            clock=time.process_time,
        )
        yield Figure(f"scores of BraTS 2026, {name}, CPU time", best["here"], "s")
        yield Figure("panoptica / the same here", best["panoptica"] / best["here"], "", least=5)


def largest_difference(seeds: Iterable[int]) -> float:
    """Return the largest difference of a number between panoptica and this library on random scenes."""
    differences = []
    for seed in seeds:
        reference, prediction = scene(seed)
        spacing_mm = SPACINGS[seed % len(SPACINGS)]
        found = numbers(lesion_scores_2026(reference, prediction, spacing_mm, exchange_edges=False))
        expected = panoptica_numbers(reference, prediction, spacing_mm)
        if not np.array_equal(np.isnan(found), np.isnan(expected)):
            return float("inf")
        differences.append(np.nanmax(np.abs(found - expected), initial=0))
    return float(max(differences))


def scene(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a random reference and prediction: lesions, lesions with single voxels, or single voxels alone."""
    reference, prediction = lesion_pair(seed)
    rng = np.random.default_rng(seed)
    if seed % 3 == 0:
        return reference, prediction
    specks = [rng.random(reference.shape) < rng.choice([0.002, 0.01, 0.05]) for _ in range(2)]
    if seed % 3 == 1:
        return reference | specks[0], prediction | specks[1]
    return specks[0], specks[1]


def large_scene() -> tuple[np.ndarray, np.ndarray]:
    """Return labels of balls of enhancing tumour with oedema around them, and of shifted balls."""
    rng = np.random.default_rng(1)
    reference, prediction = np.zeros((2, *FULL_SIZE), np.uint8)
    steps = np.sqrt(((np.indices((41, 41, 41)) - 20) ** 2).sum(axis=0))  # distances from the centre of a window
    for _ in range(LESIONS):
        centre, radius = rng.integers((60, 60, 30), (170, 170, 120)), rng.uniform(2, 12)
        for labels, shift in ((reference, 0), (prediction, rng.integers(-2, 3, 3))):
            window = labels[tuple(slice(start - 20, start + 21) for start in centre + shift)]
            window[(steps < 1.5 * radius) & (window == 0)] = 2
            window[steps < radius] = 3
    return reference, prediction


def challenge_cases() -> dict[str, tuple[Any, Any, Any]]:
    """Return reference, prediction and spacing of the example cases of the challenge's package, by name."""
    root, options = challenge_cases_2026(), MaskReadOptions(METASTASES)
    cases = {}
    for path in sorted(root.glob("*-seg.nii.gz")):
        case = path.name.removesuffix("-seg.nii.gz")
        reference = read_reference(path, case, options)
        prediction = read_predicted_mask(root / f"{case}-pred.nii.gz", case, reference, options.for_predictions(None))
        cases[case] = reference.labels, prediction.labels, reference.spacing_mm
    return cases


def panoptica_of_regions(reference, prediction, spacing_mm) -> None:
    with quiet():
        results = evaluator(of_regions=True).evaluate(prediction, reference, voxelspacing=spacing_mm)
        for result in results.values():
            result.to_dict(True)  # as the challenge does; it computes the numbers


def numbers(scores: LesionScores2026) -> np.ndarray:
    """Return the numbers in the order of `RESULTS`."""
    return np.array([*astuple(scores.lesions), *astuple(scores.pairs), *astuple(scores.whole)], float)


def panoptica_numbers(reference, prediction, spacing_mm) -> np.ndarray:
    masks = [mask.astype(np.uint8) for mask in (prediction, reference)]
    with quiet():
        (result,) = evaluator(of_regions=False).evaluate(*masks, voxelspacing=spacing_mm).values()
        found = result.to_dict()
    values = np.array([np.nan if found.get(name) is None else found[name] for name in RESULTS], float)
    values[np.isinf(values)] = WORST_HD95_2026  # as the challenge does
    return values


@contextmanager
def quiet() -> Iterator[None]:
    """Silence panoptica's warnings."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(logging.NOTSET)


@cache
def evaluator(*, of_regions: bool) -> Evaluator:
    """Return panoptica as the challenge configures it, for the regions of metastases or for the mask of a structure."""
    groups = {name: LabelMergeGroup(list(labels)) for name, labels in METASTASES.region_labels.items()}
    compared = [Metric.DSC, Metric.NSD, Metric.HD95]
    without_pair = {Metric.DSC: EdgeCaseResult.ZERO, Metric.NSD: EdgeCaseResult.ZERO, Metric.HD95: EdgeCaseResult.INF}
    return Evaluator(
        expected_input=InputType.SEMANTIC,
        instance_approximator=ConnectedComponentsInstanceApproximator(),
        instance_matcher=MaxBipartiteMatching(matching_metric=Metric.DSC, matching_threshold=1e-6),
        edge_case_handler=EdgeCaseHandler(
            {
                metric: MetricZeroTPEdgeCaseHandling(default_result=value, no_instances_result=EdgeCaseResult.NAN)
                for metric, value in without_pair.items()
            },
            empty_list_std=EdgeCaseResult.NAN,
        ),
        segmentation_class_groups=SegmentationClassGroups(groups) if of_regions else None,
        instance_metrics=compared,
        global_metrics=compared,
    )
