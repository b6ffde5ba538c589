"""Dice with each modality left out in turn."""

from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.figures.command import figure_parser
from tumorseg.figures.left_out import left_out_table
from tumorseg.figures.style import save
from tumorseg.tables import read_table


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_left_out."""
    parser = figure_parser(__doc__)
    parser.add_argument("--scores", type=Path, required=True, help="Dice by case, modality left out and structure, CSV")
    options = parser.parse_args(arguments)
    with console.job("figure_left_out", options.log):
        scores = read_table(options.scores, text=("case", "left_out", "region"))
        save(left_out_table(scores, options.task), options.output, options.settings["dpi"])


if __name__ == "__main__":
    main()
