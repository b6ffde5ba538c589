"""Verdict on each case of one batch."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.cohort.case_files import case_from_json
from tumorseg.cohort.preview import write_previews
from tumorseg.cohort.validation import validate_case
from tumorseg.cohort.validation_result import write_validation_results
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule validate_batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the case folders")
    parser.add_argument(
        "--cases", type=case_from_json, nargs="+", required=True, help="the files of each case, as JSON"
    )
    add_task_option(parser)
    parser.add_argument(
        "--settings",
        type=json.loads,
        required=True,
        help="`shape`, `labels`, `empty_masks` and `largest_voxels` of the cohort, as JSON",
    )
    parser.add_argument("--output", type=Path, required=True, help="JSON file of the verdicts")
    parser.add_argument("--previews", type=Path, required=True, help="safetensors file of a small picture of each case")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("validate_batch", options.log):
        progress = console.Progress(len(options.cases), "case")
        verdicts, previews = [], {}
        for case_files in options.cases:
            verdict, preview = validate_case(
                options.root,
                case_files,
                task=options.task,
                shape=options.settings["shape"],
                labels=options.settings["labels"],
                empty_masks=options.settings["empty_masks"],
                max_voxels=options.settings["largest_voxels"],
            )
            for problem, reason in zip(verdict.problems, verdict.reasons(), strict=True):
                console.logger.warning("%s dropped: %s: %s", verdict.case, problem.code, reason)
            verdicts.append(verdict)
            if preview is not None:
                previews[verdict.case] = preview
            progress.step(verdict.case)
        write_previews(options.previews, previews)
        write_validation_results(options.output, verdicts)


if __name__ == "__main__":
    main()
