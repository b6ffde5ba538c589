"""Score all predictions of held-out cases against the reference masks on the original grids."""

import argparse
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from tumorseg.cli import console
from tumorseg.cohort.splits import read_splits
from tumorseg.evaluation.held_out_masks import HeldOutMask, held_out_masks, read_case_masks
from tumorseg.evaluation.lesion_table import LESION_COLUMNS, lesion_rows
from tumorseg.evaluation.scoring import CaseScores, score_cases, write_scores
from tumorseg.io.tables import write_table
from tumorseg.metrics.structure_scores import case_scores
from tumorseg.task import Task, add_task_option


def score_case(item: HeldOutMask, *, root: Path, task: Task, surface_tolerance_mm: float) -> CaseScores:
    """Return the scores of a case.

    Args:
        item: the case and its predicted mask.
        root: folder of the case folders.
        task: defines the structures.
        surface_tolerance_mm: tolerance of the surface Dice.
    """
    masks = read_case_masks(item, root, task)
    scores = case_scores(
        masks.reference, masks.prediction, masks.spacing_mm, task=task, surface_tolerance_mm=surface_tolerance_mm
    )
    lesions = lesion_rows(item, masks, task)
    return CaseScores(item.case, item.fold, *scores, lesions)


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
    parser.add_argument("--lesions", type=Path, help="table of the lesions to write, CSV")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("evaluate", options.log):
        splits = read_splits(options.splits)
        items = held_out_masks(splits, options.validation_results, options.predictions)
        score_one = partial(
            score_case,
            root=options.root,
            task=options.task,
            surface_tolerance_mm=options.settings["surface_tolerance_mm"],
        )
        lesions: list[dict[str, Any]] = []
        table, confusions = score_cases(
            items, score_one, options.processes, on_case=lambda scored: lesions.extend(scored.lesions)
        )
        channels = {item.case: ",".join(options.task.channels_among(item.facts["files"])) for item in items}
        table.insert(2, "channels", table["case"].map(channels))
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
        if options.lesions:
            write_table(options.lesions, pd.DataFrame(lesions, columns=LESION_COLUMNS))


if __name__ == "__main__":
    main()
