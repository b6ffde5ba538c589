"""Score all predictions of held-out cases against the reference masks on the original grids."""

import argparse
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.splits import FoldAssignment, read_splits
from tumorseg.cohort.validated_files import reread_mask
from tumorseg.cohort.validation_result import ValidationResult, read_validation_results
from tumorseg.evaluation.scoring import CaseScores, score_cases, write_scores
from tumorseg.inference.prediction_files import read_recorded_prediction
from tumorseg.inference.records import RecordedMask, find_mask, recorded_masks
from tumorseg.metrics.structure_scores import case_scores
from tumorseg.task import Task, add_task_option


def score_case(
    item: tuple[FoldAssignment, ValidationResult, RecordedMask], *, root: Path, task: Task, surface_tolerance_mm: float
) -> CaseScores:
    """Return the scores of a case.

    Args:
        item: fold, validation result and predicted mask of the case.
        root: folder of the case folders.
        task: defines the structures.
        surface_tolerance_mm: tolerance of the surface Dice.
    """
    assignment, facts = item[0], item[1].facts
    volume = reread_mask(root, facts, task)
    prediction = read_recorded_prediction(item[2], facts["shape"], facts["affine"])
    x, y, z = volume.spacing_mm
    scores = case_scores(volume.array, prediction, (x, y, z), task=task, surface_tolerance_mm=surface_tolerance_mm)
    return CaseScores(assignment.case, assignment.fold, *scores)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule evaluate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the case folders")
    parser.add_argument(
        "--validation-results", type=Path, nargs="+", required=True, help="validation results of all shards"
    )
    parser.add_argument(
        "--predictions", type=Path, nargs="+", required=True, help="folder of predicted masks of each fold"
    )
    parser.add_argument("--splits", type=Path, required=True, help="table of the splits")
    parser.add_argument("--settings", type=json.loads, required=True, help="`evaluation` section, as JSON")
    add_task_option(parser)
    parser.add_argument("--processes", type=int, default=1, help="number of cases to score in parallel")
    parser.add_argument("--scores", type=Path, required=True, help="table of scores to write, CSV")
    parser.add_argument("--summary", type=Path, required=True, help="summary of the scores to write, JSON")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("evaluate", options.log):
        results = {
            result.case: result for path in options.validation_results for result in read_validation_results(path)
        }
        splits = read_splits(options.splits)
        masks = recorded_masks(options.predictions)
        items = [
            (assignment, results[assignment.case], find_mask(masks, assignment.case, assignment.fold))
            for assignment in splits
            if assignment.fold >= 0
        ]
        score_one = partial(
            score_case,
            root=options.root,
            task=options.task,
            surface_tolerance_mm=options.settings["surface_tolerance_mm"],
        )
        table, confusions = score_cases(items, score_one, options.processes)
        patients = {assignment.case: assignment.patient for assignment in splits}
        write_scores(
            options.scores,
            table,
            options.summary,
            confusions,
            options.settings,
            task=options.task,
            patients=patients,
        )


if __name__ == "__main__":
    main()
