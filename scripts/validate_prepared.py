"""Validate the cases of one shard that the workflow prepared, and draw a preview of each."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.case_files import case_from_json
from tumorseg.cohort.preview import write_previews
from tumorseg.cohort.validation_result import write_validation_results
from tumorseg.preparation.prepared_validation import validate_prepared_case
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule validate_prepared."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cases", type=case_from_json, nargs="+", required=True, help="the files of each case, as JSON"
    )
    add_task_option(parser)
    parser.add_argument(
        "--settings",
        type=json.loads,
        required=True,
        help="`shape`, `labels`, `empty_masks` and `max_voxels` of the cohort, as JSON",
    )
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write with the validation results")
    parser.add_argument("--previews", type=Path, required=True, help="safetensors file to write with the previews")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("validate_prepared", options.log):
        progress = console.Progress(len(options.cases), "case")
        results, previews = [], {}
        for case_files in options.cases:
            result, preview = validate_prepared_case(case_files, task=options.task, **options.settings)
            for problem, reason in zip(result.problems, result.reasons(), strict=True):
                console.logger.warning("%s dropped: %s: %s", result.case, problem.code, reason)
            results.append(result)
            if preview is not None:
                previews[result.case] = preview
            progress.step(result.case)
        write_previews(options.previews, previews)
        write_validation_results(options.output, results)


if __name__ == "__main__":
    main()
