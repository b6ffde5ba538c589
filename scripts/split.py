"""Assign the usable cases to folds, stratified or by the user's own table."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.manifest import read_manifest
from tumorseg.cohort.splits import (
    names_without_usable_case,
    stratified_splits,
    training_cases,
    user_splits,
    validation_cases,
    write_splits,
)
from tumorseg.formatting import format_count
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule split."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="TSV file of the manifest")
    add_task_option(parser)
    parser.add_argument(
        "--settings",
        type=json.loads,
        required=True,
        help="`folds` of the cohort and, without a split file, `validation_fraction` and `seed`, as JSON",
    )
    parser.add_argument("--split-file", type=Path, nargs="?", help="the user's own table of folds")
    parser.add_argument("--output", type=Path, required=True, help="TSV file of the splits")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("split", options.log):
        table, folds = read_manifest(options.manifest), options.settings["folds"]
        if options.split_file:
            splits = user_splits(options.split_file, table, folds=folds)
            if dropped := names_without_usable_case(options.split_file, table):
                console.logger.info("%s: ignored names without a usable case: %d", options.split_file, len(dropped))
        else:
            splits = stratified_splits(
                table,
                task=options.task,
                folds=folds,
                validation_fraction=options.settings["validation_fraction"],
                seed=options.settings["seed"],
            )
        write_splits(options.output, splits)
        for fold in range(folds):
            training, validation = len(training_cases(splits, fold)), len(validation_cases(splits, fold))
            console.logger.info(
                "fold %d: %s for training, %d for validation", fold, format_count(training, "case"), validation
            )


if __name__ == "__main__":
    main()
