"""A small picture of every scored case, for the table of the report."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.figures.strips import case_strip, side_for
from tumorseg.figures.style import colours_of
from tumorseg.files import make_folder, write_bytes
from tumorseg.inference.prediction import read_prediction
from tumorseg.inference.recorded import find_mask, recorded_masks
from tumorseg.metrics.scores import TEXT_COLUMNS
from tumorseg.normalise.crop import crop
from tumorseg.normalise.store import find_case, read_case
from tumorseg.tables import read_table
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule case_strips."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--normalised", type=Path, nargs="+", required=True, help="folders of normalised cases")
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="folders of the folds' predictions")
    parser.add_argument("--scores", type=Path, required=True, help="scores of each case")
    parser.add_argument("--settings", type=json.loads, required=True, help="`colours` of the labels, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="folder of the pictures, named after their cases")
    parser.add_argument("--log", type=Path, help="log file")
    add_task_option(parser)
    options = parser.parse_args(arguments)
    with console.job("case_strips", options.log):
        colours = colours_of(options.settings)
        names = sorted(read_table(options.scores, text=TEXT_COLUMNS)["case"].unique())
        make_folder(options.output)
        for stale in options.output.glob("*.webp"):
            stale.unlink()
        masks = recorded_masks(options.predictions)
        progress = console.Progress(len(names), "case")
        for name in names:
            case = read_case(find_case(options.normalised, name))
            whole = read_prediction(find_mask(masks, name), case.origin.shape, case.origin.affine)
            content = case_strip(case, crop(whole, case.origin), colours, task=options.task, side=side_for(len(names)))
            write_bytes(options.output / f"{name}.webp", content)
            progress.step(name)


if __name__ == "__main__":
    main()
