"""Score the held-out cases with each subset of their channels, to show what a missing sequence costs."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tumorseg.cli import console
from tumorseg.cohort.splits import read_splits
from tumorseg.inference.channel_subsets import case_subset_dice, mean_subset_dice, subset_table
from tumorseg.inference.held_out import iterate_held_out_cases
from tumorseg.inference.records import read_selection
from tumorseg.io.tables import write_table
from tumorseg.networks.devices import resolve_execution
from tumorseg.networks.model_header import read_header
from tumorseg.networks.subset_scores import SubsetScores, write_subset_scores
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule leave_out_modalities."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="exported model of each fold")
    parser.add_argument("--selections", type=Path, nargs="+", required=True, help="selection of each fold")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="data of each fold")
    parser.add_argument("--normalised", type=Path, nargs="+", required=True, help="folders of normalised cases")
    parser.add_argument("--splits", type=Path, required=True, help="table of the splits")
    parser.add_argument("--settings", type=json.loads, required=True, help="`prediction` and `execution`, as JSON")
    add_task_option(parser)
    parser.add_argument(
        "--cases", type=Path, required=True, help="Dice of each case, subset and structure to write, CSV"
    )
    parser.add_argument("--summary", type=Path, required=True, help="mean Dice of each subset to write, CSV")
    parser.add_argument(
        "--scores",
        type=Path,
        nargs="+",
        required=True,
        help="mean Dice of each subset to write beside each model, JSON",
    )
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("leave_out_modalities", options.log):
        execution = resolve_execution(**options.settings["execution"])
        models = list(zip(options.models, options.selections, options.data, strict=True))
        splits, section = read_splits(options.splits), options.settings["prediction"]
        rows = pd.DataFrame(
            {"case": case.origin.case, "fold": fold, "channels": ",".join(subset), "region": region, "dice": value}
            for fold, case, segmenter in iterate_held_out_cases(
                models, options.normalised, splits, execution, section, task=options.task
            )
            for subset, dice in case_subset_dice(case, segmenter)
            for region, value in dice.items()
        )
        write_table(options.cases, rows)
        trainings = [read_header(model).trained_on for model in options.models]
        write_table(options.summary, subset_table(mean_subset_dice(rows, options.task), trainings))
        for fold, (selection, path) in enumerate(zip(options.selections, options.scores, strict=True)):
            scores = SubsetScores(tuple(mean_subset_dice(rows[rows["fold"] == fold], options.task)), section)
            write_subset_scores(path, read_selection(selection, fold)["digest"], scores)


if __name__ == "__main__":
    main()
