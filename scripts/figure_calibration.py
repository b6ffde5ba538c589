"""Reliability diagrams of the probabilities."""

from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.figures.command import figure_parser
from tumorseg.figures.reliability import reliability_diagrams
from tumorseg.figures.style import save
from tumorseg.files import read_json


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_calibration."""
    parser = figure_parser(__doc__)
    parser.add_argument("--calibration", type=Path, required=True, help="reliability by region, JSON")
    options = parser.parse_args(arguments)
    with console.job("figure_calibration", options.log):
        curves = read_json(options.calibration)["curves"]
        save(reliability_diagrams(curves, options.task), options.output, options.settings["dpi"])


if __name__ == "__main__":
    main()
