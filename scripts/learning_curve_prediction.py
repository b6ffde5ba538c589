"""Segment the held-out cases of a fold with the model of a point of the learning curve."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.splits import read_splits
from tumorseg.inference.held_out import segment_fold
from tumorseg.learning_curve.models import read_curve_model
from tumorseg.networks.devices import resolve_execution
from tumorseg.preprocessing.fold_data import held_out_cases


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule learning_curve_prediction."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="model of the point")
    parser.add_argument("--training", type=Path, required=True, help="record of its training, which names the model")
    parser.add_argument("--normalised", type=Path, nargs="+", required=True, help="folders of normalised cases")
    parser.add_argument("--data", type=Path, required=True, help="data of the fold, with the digest of each case")
    parser.add_argument("--splits", type=Path, required=True, help="table of the splits")
    parser.add_argument("--fold", type=int, required=True, help="fold whose held-out cases to segment")
    parser.add_argument("--settings", type=json.loads, required=True, help="`prediction` and `execution`, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="folder of masks to write")
    parser.add_argument("--record", type=Path, required=True, help="record of the masks to write, JSON")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job(f"learning_curve_prediction {options.model.parent}, fold {options.fold}", options.log):
        execution = resolve_execution(**options.settings["execution"])
        cases = held_out_cases(options.normalised, options.data, read_splits(options.splits), options.fold)
        model = read_curve_model(options.model, options.training, options.fold, cases)
        section = options.settings["prediction"]
        segment_fold(model, options.fold, cases, options.output, options.record, execution=execution, section=section)


if __name__ == "__main__":
    main()
