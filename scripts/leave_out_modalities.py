"""Score the held-out cases without each channel in turn, to show which channels the network needs."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tumorseg.cli import console
from tumorseg.cohort.splits import read_splits
from tumorseg.inference.held_out import iterate_held_out_cases
from tumorseg.io.tables import write_table
from tumorseg.metrics.overlap import overlaps
from tumorseg.networks.devices import resolve_execution
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule leave_out_modalities."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="exported model of each fold")
    parser.add_argument("--selections", type=Path, nargs="+", required=True, help="selection of each fold")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="data of each fold")
    parser.add_argument("--normalised", type=Path, nargs="+", required=True, help="folders of normalised cases")
    parser.add_argument("--splits", type=Path, required=True, help="table of the splits")
    parser.add_argument("--settings", type=json.loads, required=True, help="`prediction` and `execution`, as JSON")
    add_task_option(parser)
    parser.add_argument(
        "--output", type=Path, required=True, help="Dice of each case, left-out modality and structure to write, CSV"
    )
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("leave_out_modalities", options.log):
        execution = resolve_execution(**options.settings["execution"])
        models = list(zip(options.models, options.selections, options.data, strict=True))
        splits, section = read_splits(options.splits), options.settings["prediction"]
        rows = []
        for fold, case, segmenter in iterate_held_out_cases(
            models, options.normalised, splits, execution, section, task=options.task
        ):
            reference = case.on_cropped_grid().mask
            for left_out in ("none", *options.task.channel_names):
                image = case.image.copy()
                if left_out != "none":
                    # 0 is the value of background and the mean of the brain.
                    image[options.task.channel_names.index(left_out)] = 0
                mask, _ = segmenter.mask_of(segmenter.predict(image, case.origin), case.origin)
                rows += [
                    {
                        "case": case.origin.case,
                        "fold": fold,
                        "left_out": left_out,
                        "region": structure,
                        "dice": overlap.dice,
                    }
                    for structure, overlap in overlaps(reference, mask, options.task).items()
                ]
        write_table(options.output, pd.DataFrame(rows))


if __name__ == "__main__":
    main()
