"""Which cases are held out together."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.cohort.manifest import read_manifest
from tumorseg.cohort.own_splits import dropped_names, own_splits
from tumorseg.cohort.splits import held_out, trained_on, write_splits
from tumorseg.cohort.stratify import split
from tumorseg.counts import counted
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule split."""
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
            splits = own_splits(options.split_file, table, folds=folds)
            if dropped := dropped_names(options.split_file, table):
                console.logger.info("%s: names without a usable case, left out: %d", options.split_file, len(dropped))
        else:
            splits = split(
                table,
                task=options.task,
                folds=folds,
                validation_fraction=options.settings["validation_fraction"],
                seed=options.settings["seed"],
            )
        write_splits(options.output, splits)
        for fold in range(folds):
            trained, validation = len(trained_on(splits, fold)), len(held_out(splits, fold))
            console.logger.info("fold %d: %s to train on, %d held out", fold, counted(trained, "case"), validation)


if __name__ == "__main__":
    main()
