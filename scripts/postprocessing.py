"""Choose post-processing on the held-out cases of all folds by cross-fitting, and estimate its gain."""

import argparse
import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tumorseg.cli import console
from tumorseg.cli.console import logger
from tumorseg.cohort.splits import read_splits
from tumorseg.configuration.postprocessing_candidates import Candidate, candidates
from tumorseg.evaluation.held_out_masks import HeldOutMask, held_out_masks, read_case_masks
from tumorseg.evaluation.postprocessing_choice import choose, gain_table, mean_over_structures
from tumorseg.evaluation.postprocessing_masks import (
    candidate_dice,
    crop_to_labels,
    present_structures,
    scores_before_and_after,
)
from tumorseg.evaluation.postprocessing_report import candidate_table, choice_yaml, describe, gain_lines
from tumorseg.evaluation.scoring import map_cases
from tumorseg.io.files import write_text
from tumorseg.io.tables import write_table
from tumorseg.metrics.bootstrap import Bootstrap
from tumorseg.task import Task, add_task_option

Result = TypeVar("Result")


def dice_of_candidates(
    item: HeldOutMask, *, root: Path, tried: Sequence[Candidate], task: Task
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the Dice of a case after each candidate, and which structures its reference has.

    Args:
        item: the case and its predicted mask before post-processing.
        root: folder of the case folders.
        tried: the candidates.
        task: defines the structures.

    Returns:
        Dice, float64 (candidates, structures), and bool (structures,).
    """
    masks = crop_to_labels(read_case_masks(item, root, task), task)
    return candidate_dice(masks, item.voxel_mm3, tried, task), present_structures(masks.reference, task)


def scores_with_choice(item: tuple[HeldOutMask, Candidate], *, root: Path, task: Task) -> NDArray[np.float64]:
    """Return the scores of a case before and after post-processing, see `scores_before_and_after`.

    Args:
        item: the case with its predicted mask before post-processing, and the settings chosen for it.
        root: folder of the case folders.
        task: defines the structures.
    """
    masks = crop_to_labels(read_case_masks(item[0], root, task), task)
    return scores_before_and_after(masks, item[0].voxel_mm3, item[1], task)


def with_progress(items: Sequence[HeldOutMask], results: Iterator[Result]) -> Iterator[Result]:
    """Yield the result of each case, and log the progress."""
    progress = console.Progress(len(items), "case")
    for item, result in zip(items, results, strict=True):
        progress.step(item.case)
        yield result


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule postprocessing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the case folders")
    parser.add_argument(
        "--validation-results", type=Path, nargs="+", required=True, help="validation results of all shards"
    )
    parser.add_argument(
        "--predictions",
        type=Path,
        nargs="+",
        required=True,
        help="folder of predicted masks of each fold, before post-processing",
    )
    parser.add_argument("--splits", type=Path, required=True, help="table of the splits")
    parser.add_argument("--settings", type=json.loads, required=True, help="`postprocessing`, `evaluation`, as JSON")
    add_task_option(parser)
    parser.add_argument("--processes", type=int, default=1, help="number of cases to process in parallel")
    parser.add_argument("--candidates", type=Path, required=True, help="table of the candidates to write, CSV")
    parser.add_argument("--gains", type=Path, required=True, help="table of the gains to write, CSV")
    parser.add_argument("--choice", type=Path, required=True, help="chosen settings to write, YAML")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("postprocessing", options.log):
        task, evaluation = options.task, options.settings["evaluation"]
        splits = read_splits(options.splits)
        items = held_out_masks(splits, options.validation_results, options.predictions)
        folds = [item.fold for item in items]
        tried = candidates(options.settings["postprocessing"], task)
        logger.info("%d candidates of post-processing on %d cases", len(tried), len(items))
        score = partial(dice_of_candidates, root=options.root, tried=tried, task=task)
        results = [*with_progress(items, map_cases(items, score, options.processes))]
        dice, has_structure = map(np.array, zip(*results, strict=True))
        choices = choose(mean_over_structures(dice, task), folds)

        score_chosen = partial(scores_with_choice, root=options.root, task=task)
        with_choice = [(item, tried[choices.by_fold[item.fold]]) for item in items]
        scores = np.array([*with_progress(items, map_cases(with_choice, score_chosen, options.processes))])
        bootstrap = Bootstrap(
            [item.case for item in items],
            confidence=evaluation["confidence"],
            samples=evaluation["bootstrap_samples"],
            seed=evaluation["seed"],
            patients={row.case: row.patient for row in splits},
        )
        gains = gain_table(scores, has_structure, bootstrap, task)
        choice = choice_yaml(tried, choices, gains, task)
        write_table(options.candidates, candidate_table(dice, tried, choices, task))
        write_table(options.gains, gains)
        write_text(options.choice, choice)

        for fold, number in choices.by_fold.items():
            logger.info("chosen on all folds but %d, for its cases: %s", fold, describe(tried[number]))
        for line in [*gain_lines(gains, evaluation["confidence"]), "", *choice.splitlines()]:
            logger.info("%s", line)


if __name__ == "__main__":
    main()
