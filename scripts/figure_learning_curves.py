"""Loss and validation Dice by epoch of each fold, with the chosen and the refused epochs."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.figures.curves import learning_curves
from tumorseg.figures.folds import read_folds
from tumorseg.figures.style import save


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_learning_curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--history", type=Path, nargs="+", required=True, help="history of each fold")
    parser.add_argument(
        "--selection", type=Path, nargs="+", required=True, help="selection of each fold, in that order"
    )
    parser.add_argument("--settings", type=json.loads, required=True, help="`dpi` of the figures, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="figure to write (PNG)")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("figure_learning_curves", options.log):
        folds = read_folds(options.history, options.selection)
        save(learning_curves(folds), options.output, options.settings["dpi"])
        console.logger.info("%d epochs drawn", sum(len(fold.history) for fold in folds))


if __name__ == "__main__":
    main()
