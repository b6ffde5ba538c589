"""List the cases of a fold with the digests of their normalised files."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.splits import read_splits
from tumorseg.cohort.validation_result import read_validation_results
from tumorseg.preprocessing.fold_data import collect_fold_data, write_fold_data
from tumorseg.preprocessing.resampling import stored_settings


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule training_data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--normalised", type=Path, nargs="+", required=True, help="folders of normalised cases")
    parser.add_argument(
        "--validation-results", type=Path, nargs="+", required=True, help="validation results of all shards, as JSON"
    )
    parser.add_argument("--synthetic", type=Path, nargs="*", default=[], help="folders of synthetic cases")
    parser.add_argument(
        "--simulated",
        type=json.loads,
        help="`settings` and `code` of the cases that the training simulates, as JSON; null if it simulates none",
    )
    parser.add_argument("--splits", type=Path, required=True, help="table of the splits")
    parser.add_argument("--fold", type=int, required=True, help="fold to list")
    parser.add_argument("--output", type=Path, required=True, help="cases of the fold and their digests, as JSON")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job(f"training_data fold {options.fold}", options.log):
        results = {
            result.case: result for path in options.validation_results for result in read_validation_results(path)
        }
        splits = read_splits(options.splits)
        simulated = options.simulated
        if simulated is not None:
            simulated["settings"] = stored_settings(simulated["settings"])
        data = collect_fold_data(
            options.normalised, splits, options.fold, results, options.synthetic, simulated=simulated
        )
        write_fold_data(options.output, data)


if __name__ == "__main__":
    main()
