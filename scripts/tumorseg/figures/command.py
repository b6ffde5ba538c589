"""The options that the command lines of the figures share."""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from tumorseg import console
from tumorseg.figures.cases import show_cases
from tumorseg.figures.shown import ShownCase
from tumorseg.figures.style import save
from tumorseg.task import Task, add_task_option


def figure_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser of the options of every figure: `--task`, `--settings` with `dpi`, `--output` (some files), `--log`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--settings", type=json.loads, required=True, help="figure settings, as JSON")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="files to write (.png, .pdf)")
    parser.add_argument("--log", type=Path, help="log file")
    add_task_option(parser)
    return parser


def draw_cases(
    rule: str,
    description: str | None,
    draw: Callable[[Sequence[ShownCase], dict[str, Any], Task], Figure],
    arguments: Sequence[str] | None,
) -> None:
    """The command line of a figure of the chosen cases, all of which show the same slices.

    draw: from the cases, the figure settings as JSON, and the task.
    """
    parser = figure_parser(description)
    parser.add_argument("--normalised", type=Path, nargs="+", required=True, help="folders of normalised cases")
    parser.add_argument("--scores", type=Path, required=True, help="scores of each case")
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="folders of the folds' predictions")
    options = parser.parse_args(arguments)
    with console.job(rule, options.log):
        settings = options.settings
        cases = show_cases(
            options.scores, settings["cases"], options.normalised, options.predictions, task=options.task
        )
        save(draw(cases, settings, options.task), options.output, settings["dpi"])
        console.logger.info("%s cases shown: %s", len(cases), ", ".join(case.case for case in cases))
