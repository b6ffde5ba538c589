"""The same slices with the expert's labels over FLAIR."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.figures.cases import show_cases
from tumorseg.figures.sheets import mask_sheet
from tumorseg.figures.style import FigureSettings, save


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_ground_truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--normalised", type=Path, nargs="+", required=True, help="folders of normalised cases")
    parser.add_argument("--scores", type=Path, required=True, help="scores of each case")
    parser.add_argument("--settings", type=json.loads, required=True, help="figure settings, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="figure to write (PNG)")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("figure_ground_truth", options.log):
        settings = FigureSettings.from_dict(options.settings)
        cases = show_cases(options.scores, settings.cases, options.normalised, None)
        save(mask_sheet(cases, "reference", settings), options.output, settings.dpi)
        console.logger.info("%s cases shown: %s", len(cases), ", ".join(case.case for case in cases))


if __name__ == "__main__":
    main()
