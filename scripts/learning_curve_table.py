"""Collect the scores of the learning curve, and summarise them with the spread over the seeds."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli import console
from tumorseg.io.tables import write_table
from tumorseg.learning_curve.plan import CurvePoint
from tumorseg.learning_curve.score_tables import collect_scores, summarise_curve, summary_lines
from tumorseg.task import add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule learning_curve_table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="scores of each point, CSV")
    parser.add_argument("--points", type=json.loads, required=True, help="start, cases and seed of each point, as JSON")
    add_task_option(parser)
    parser.add_argument("--cases", type=Path, required=True, help="table of all scores to write, CSV")
    parser.add_argument("--summary", type=Path, required=True, help="table of means to write, CSV")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("learning_curve_table", options.log):
        points = [CurvePoint(**point) for point in options.points]
        scores = collect_scores(dict(zip(points, options.scores, strict=True)))
        summary = summarise_curve(scores, options.task)
        write_table(options.cases, scores)
        write_table(options.summary, summary)
        for line in summary_lines(summary, options.task):
            console.logger.info("%s", line)


if __name__ == "__main__":
    main()
