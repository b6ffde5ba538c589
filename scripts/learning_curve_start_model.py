"""Take the start model as it is as the model of a fold, for the point of the learning curve without a training."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.io.files import write_bytes
from tumorseg.learning_curve.plan import CurvePoint
from tumorseg.learning_curve.training import log_progress, write_training_record
from tumorseg.networks.starter import model_path
from tumorseg.preprocessing.fold_data import find_cases, read_fold_data
from tumorseg.task import add_task_option
from tumorseg.training.start_model import read_fitting_model


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule learning_curve_start_model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--normalised", type=Path, nargs="+", required=True, help="folders of normalised cases")
    parser.add_argument("--data", type=Path, required=True, help="cases of the fold and their digests, as JSON")
    parser.add_argument("--fold", type=int, required=True, help="fold whose held-out cases the model must not know")
    parser.add_argument("--network", type=json.loads, required=True, help="section `model`, as JSON")
    parser.add_argument("--start-from", required=True, help="the start model: a path or `starter`")
    parser.add_argument("--digest", required=True, help="SHA-256 of the start model at the planning")
    add_task_option(parser)
    parser.add_argument("--plan", type=json.loads, required=True, help="sizes and records of the curve, as JSON")
    parser.add_argument("--model", type=Path, required=True, help="model to write, a copy of the start model")
    parser.add_argument("--record", type=Path, required=True, help="record of the model to write, JSON")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job(f"learning_curve_start_model fold {options.fold}", options.log):
        start_model = model_path(options.start_from)
        held_out = find_cases(options.normalised, read_fold_data(options.data, options.fold).held_out)
        # Refuses a model that does not fit.
        read_fitting_model(start_model, options.digest, options.network, options.task, held_out)
        write_bytes(options.model, start_model.read_bytes())
        write_training_record(
            options.record,
            CurvePoint("model", 0, 0),
            options.fold,
            options.model,
            cases=(),
            steps=0,
            start_from=options.digest,
        )
        log_progress(options.plan["records"])


if __name__ == "__main__":
    main()
