"""Write the volumes of a few cases for the interactive viewer of the report."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.io.files import write_json
from tumorseg.plotting.case_selection import load_cases
from tumorseg.plotting.viewer_volumes import encode_case, encoded_bytes, max_bytes_per_case
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule viewer_cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--normalised", type=Path, nargs="+", required=True, help="folders of normalised cases")
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="folders of the folds' predictions")
    parser.add_argument("--scores", type=Path, required=True, help="scores of each case")
    parser.add_argument("--settings", type=json.loads, required=True, help="`viewer_cases`, as JSON")
    add_task_option(parser)
    parser.add_argument("--output", type=Path, required=True, help="cases with their volumes (JSON)")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("viewer_cases", options.log):
        requested = options.settings["viewer_cases"]
        views = load_cases(options.scores, requested, options.normalised, options.predictions, task=options.task)
        cases = [encode_case(view, options.task, max_bytes_per_case(len(views))) for view in views]
        write_json(options.output, {"cases": cases})
        for case in cases:
            console.logger.info("%s: %.2f MB, %s grey levels", case["case"], encoded_bytes(case) / 1e6, case["levels"])


if __name__ == "__main__":
    main()
