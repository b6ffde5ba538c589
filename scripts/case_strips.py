"""Write the thumbnails of every scored case for the table of the report."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.inference.prediction_files import read_recorded_prediction
from tumorseg.inference.records import find_mask, recorded_masks
from tumorseg.io.files import make_folder, write_bytes
from tumorseg.io.tables import read_table
from tumorseg.metrics.structure_scores import TEXT_COLUMNS
from tumorseg.plotting.style import label_colours
from tumorseg.plotting.thumbnails import case_strip, tile_pixels_for
from tumorseg.preprocessing.crop import crop
from tumorseg.preprocessing.store import find_case, read_case
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule case_strips."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--normalised", type=Path, nargs="+", required=True, help="folders of normalised cases")
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="folders of the folds' predictions")
    parser.add_argument("--scores", type=Path, required=True, help="scores of each case")
    parser.add_argument("--settings", type=json.loads, required=True, help="`colours` of the labels, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="folder to write, with a WebP file for each case")
    parser.add_argument("--log", type=Path, help="log file")
    add_task_option(parser)
    options = parser.parse_args(arguments)
    with console.job("case_strips", options.log):
        colours = label_colours(options.settings)
        names = sorted(read_table(options.scores, text_columns=TEXT_COLUMNS)["case"].unique())
        make_folder(options.output)
        for stale in options.output.glob("*.webp"):
            stale.unlink()
        masks = recorded_masks(options.predictions)
        progress = console.Progress(len(names), "case")
        for name in names:
            case = read_case(find_case(options.normalised, name), with_cropped=True).on_cropped_grid()
            prediction = read_recorded_prediction(find_mask(masks, name), case.origin.shape, case.origin.affine)
            content = case_strip(
                case, crop(prediction, case.origin), colours, task=options.task, tile_pixels=tile_pixels_for(len(names))
            )
            write_bytes(options.output / f"{name}.webp", content)
            progress.step(name)


if __name__ == "__main__":
    main()
