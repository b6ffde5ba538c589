"""List the order in which the trainings of the learning curve take the training cases."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.splits import read_splits
from tumorseg.io.tables import write_table
from tumorseg.learning_curve.subsets import subset_table


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule learning_curve_subsets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=Path, required=True, help="table of the splits")
    parser.add_argument("--folds", type=int, required=True, help="number of folds")
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help="seeds of the learning curve")
    parser.add_argument("--sizes", type=int, nargs="+", required=True, help="numbers of training cases")
    parser.add_argument("--output", type=Path, required=True, help="table of the cases in their order to write, TSV")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("learning_curve_subsets", options.log):
        table = subset_table(read_splits(options.splits), range(options.folds), options.seeds, options.sizes)
        write_table(options.output, table)


if __name__ == "__main__":
    main()
