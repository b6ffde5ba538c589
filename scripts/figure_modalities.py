"""Slices of the four modalities through the tumour of the best, the median and the worst case."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.figures.cases import show_cases
from tumorseg.figures.sheets import modality_sheet
from tumorseg.figures.style import save


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_modalities."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--normalised", type=Path, nargs="+", required=True, help="folders of normalised cases")
    parser.add_argument("--scores", type=Path, required=True, help="scores of each case")
    parser.add_argument("--settings", type=json.loads, required=True, help="`cases` and `dpi` of the figures, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="figure to write (PNG)")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("figure_modalities", options.log):
        cases = show_cases(options.scores, options.settings["cases"], options.normalised, None)
        save(modality_sheet(cases), options.output, options.settings["dpi"])
        console.logger.info("%s cases shown: %s", len(cases), ", ".join(case.case for case in cases))


if __name__ == "__main__":
    main()
