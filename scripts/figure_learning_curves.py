"""Loss and validation Dice by epoch of each fold, with the chosen and the refused epochs."""

from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.counts import counted
from tumorseg.figures.command import figure_parser
from tumorseg.figures.curves import learning_curves
from tumorseg.figures.folds import read_folds
from tumorseg.figures.style import save


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_learning_curves."""
    parser = figure_parser(__doc__)
    parser.add_argument("--history", type=Path, nargs="+", required=True, help="history of each fold")
    parser.add_argument(
        "--selection", type=Path, nargs="+", required=True, help="selection of each fold, in that order"
    )
    options = parser.parse_args(arguments)
    with console.job("figure_learning_curves", options.log):
        folds = read_folds(options.history, options.selection)
        save(learning_curves(folds, options.task), options.output, options.settings["dpi"])
        console.logger.info("%s drawn", counted(sum(len(fold.history) for fold in folds), "epoch"))


if __name__ == "__main__":
    main()
