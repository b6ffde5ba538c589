"""Score all predictions of held-out cases as in BraTS 2025 and 2026."""

import argparse
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.splits import read_splits
from tumorseg.evaluation.held_out_masks import HeldOutMask, held_out_masks, read_case_masks
from tumorseg.evaluation.scoring_2026 import CaseScores2026, score_cases_2026, write_scores_2026
from tumorseg.metrics.structure_scores_2026 import case_scores_2026
from tumorseg.task import Task, add_task_option


def score_case(item: HeldOutMask, *, root: Path, task: Task) -> CaseScores2026:
    """Return the scores of a case.

    Args:
        item: the case and its predicted mask.
        root: folder of the case folders.
        task: defines the structures.
    """
    masks = read_case_masks(item, root, task)
    scores = case_scores_2026(masks.reference, masks.prediction, masks.spacing_mm, task=task)
    return CaseScores2026(item.case, item.fold, scores, masks.spacing_mm)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule challenge_2026."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the case folders")
    parser.add_argument(
        "--validation-results", type=Path, nargs="+", required=True, help="validation results of all shards"
    )
    parser.add_argument(
        "--predictions", type=Path, nargs="+", required=True, help="folder of predicted masks of each fold"
    )
    parser.add_argument("--splits", type=Path, required=True, help="table of the splits")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="`confidence`, `bootstrap_samples` and `seed`, as JSON"
    )
    add_task_option(parser)
    parser.add_argument("--processes", type=int, default=1, help="number of cases to score in parallel")
    parser.add_argument("--scores", type=Path, required=True, help="table of scores to write, CSV")
    parser.add_argument("--summary", type=Path, required=True, help="summary of the scores to write, JSON")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("challenge_2026", options.log):
        splits = read_splits(options.splits)
        items = held_out_masks(splits, options.validation_results, options.predictions)
        score_one = partial(score_case, root=options.root, task=options.task)
        scored = score_cases_2026(items, score_one, options.processes)
        patients = {assignment.case: assignment.patient for assignment in splits}
        write_scores_2026(
            options.scores, options.summary, scored, options.settings, task=options.task, patients=patients
        )


if __name__ == "__main__":
    main()
