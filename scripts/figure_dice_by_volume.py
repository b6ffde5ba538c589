"""Dice of each held-out case against the volume in its reference, by region."""

from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.counts import counted
from tumorseg.figures.by_volume import dice_by_volume
from tumorseg.figures.command import figure_parser
from tumorseg.figures.style import save
from tumorseg.metrics.scores import TEXT_COLUMNS
from tumorseg.tables import read_table


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_dice_by_volume."""
    parser = figure_parser(__doc__)
    parser.add_argument("--scores", type=Path, required=True, help="scores of each case")
    options = parser.parse_args(arguments)
    with console.job("figure_dice_by_volume", options.log):
        scores = read_table(options.scores, text=TEXT_COLUMNS)
        save(dice_by_volume(scores, options.task), options.output, options.settings["dpi"])
        console.logger.info("%s drawn", counted(scores["case"].nunique(), "case"))


if __name__ == "__main__":
    main()
