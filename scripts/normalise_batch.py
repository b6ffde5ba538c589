"""Normalise the usable cases of one shard."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.validation_result import read_validation_results
from tumorseg.io.files import make_folder
from tumorseg.preprocessing.normalisation import normalise_validated_case
from tumorseg.preprocessing.store import write_case
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule normalise_batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder that holds the case folders")
    parser.add_argument(
        "--validation-results", type=Path, required=True, help="validation results of the shard, as JSON"
    )
    add_task_option(parser)
    parser.add_argument("--settings", type=json.loads, required=True, help="the `normalisation` section, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="folder of the normalised cases")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("normalise_batch", options.log):
        usable = [result for result in read_validation_results(options.validation_results) if result.usable]
        make_folder(options.output)
        for stale in options.output.glob("*.safetensors"):
            stale.unlink()
        progress = console.Progress(len(usable), "case")
        for result in usable:
            case = normalise_validated_case(options.root, result, options.settings, task=options.task)
            write_case(options.output / f"{result.case}.safetensors", case)
            progress.step(result.case)


if __name__ == "__main__":
    main()
