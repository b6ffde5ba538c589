"""Dice with each modality left out in turn."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tumorseg import console
from tumorseg.figures.left_out import left_out_table
from tumorseg.figures.style import save


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule figure_left_out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=Path, required=True, help="Dice by case, modality left out and structure, CSV")
    parser.add_argument("--settings", type=json.loads, required=True, help="`dpi` of the figures, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="figure to write (PNG)")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("figure_left_out", options.log):
        scores = pd.read_csv(options.scores, dtype={"case": str})
        save(left_out_table(scores), options.output, options.settings["dpi"])


if __name__ == "__main__":
    main()
