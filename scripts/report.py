"""The report: one self-contained page, and its gist at the terminal."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg import console
from tumorseg.files import write_text
from tumorseg.report.facts import gather
from tumorseg.report.inputs import read_results
from tumorseg.report.page import embed, render
from tumorseg.report.summary import summary_text


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rule report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="manifest of the cohort")
    parser.add_argument("--splits", type=Path, required=True, help="fold of each case")
    parser.add_argument("--summary", type=Path, required=True, help="summary of the scores")
    parser.add_argument("--scores", type=Path, required=True, help="scores of each case")
    parser.add_argument("--history", type=Path, nargs="+", required=True, help="history of each fold")
    parser.add_argument(
        "--selection", type=Path, nargs="+", required=True, help="selection of each fold, in that order"
    )
    parser.add_argument(
        "--predictions", type=Path, nargs="+", required=True, help="how the masks of each fold came about"
    )
    parser.add_argument("--figures", type=Path, nargs="+", required=True, help="figures, in their order on the page")
    parser.add_argument("--configuration", type=json.loads, required=True, help="configuration used, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="page to write (HTML)")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("report", options.log):
        results = read_results(
            manifest=options.manifest,
            splits=options.splits,
            summary=options.summary,
            scores=options.scores,
            histories=options.history,
            selections=options.selection,
            predictions=options.predictions,
        )
        facts = gather(results)
        figures = [embed(path) for path in options.figures]
        write_text(options.output, render(facts, figures, options.configuration))
        for line in summary_text(facts, options.output.resolve()).splitlines():
            console.logger.info("%s", line)


if __name__ == "__main__":
    main()
