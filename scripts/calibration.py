"""Compare the predicted probabilities of held-out cases with their references."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.splits import read_splits
from tumorseg.inference.held_out import iterate_held_out_cases
from tumorseg.io.files import write_json
from tumorseg.metrics.calibration import DEFINITION, Reliability, case_reliability
from tumorseg.networks.devices import resolve_execution
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule calibration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="exported model of each fold")
    parser.add_argument("--selections", type=Path, nargs="+", required=True, help="selection of each fold")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="data of each fold")
    parser.add_argument("--normalised", type=Path, nargs="+", required=True, help="folders of normalised cases")
    parser.add_argument("--splits", type=Path, required=True, help="table of the splits")
    parser.add_argument("--settings", type=json.loads, required=True, help="`prediction` and `execution`, as JSON")
    add_task_option(parser)
    parser.add_argument("--output", type=Path, required=True, help="reliability of each region to write, JSON")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("calibration", options.log):
        execution = resolve_execution(**options.settings["execution"])
        models = list(zip(options.models, options.selections, options.data, strict=True))
        splits, section = read_splits(options.splits), options.settings["prediction"]
        curves: dict[str, Reliability] = {}
        for _, case, segmenter in iterate_held_out_cases(
            models, options.normalised, splits, execution, section, task=options.task
        ):
            probabilities = segmenter.predict(case.image, case.origin).probabilities
            cropped = case.on_cropped_grid()
            brain = (cropped.image != 0).any(axis=0)
            case_curves = case_reliability(cropped.mask, probabilities, brain, options.task)
            curves = {name: curves[name] + curve if curves else curve for name, curve in case_curves.items()}
        content = {name: curve.as_dict() for name, curve in curves.items()}
        write_json(options.output, {"definition": DEFINITION, "curves": content})
        for name, curve in curves.items():
            console.logger.info("expected calibration error, %s: %.4f", name, curve.expected_calibration_error)


if __name__ == "__main__":
    main()
