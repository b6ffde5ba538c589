"""Write the report, a self-contained page, and log its summary."""

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tumorseg.cli import console
from tumorseg.io.files import write_text
from tumorseg.plotting.case_selection import select_cases
from tumorseg.plotting.style import FigureSettings
from tumorseg.provenance.run_facts import run_facts
from tumorseg.reporting.report.content import collect_report_content, summary_text
from tumorseg.reporting.report.embedded_images import embed_figure, read_strips
from tumorseg.reporting.report.report_html import render_report
from tumorseg.reporting.report.run_results import read_run_results
from tumorseg.reporting.viewer.embed import EmbeddedViewer, embed_viewer
from tumorseg.task import Task, add_task_option


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of the rule report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="manifest of the cohort")
    parser.add_argument(
        "--validation-results", type=Path, nargs="+", required=True, help="validation results of all shards"
    )
    parser.add_argument("--splits", type=Path, required=True, help="fold of each case")
    parser.add_argument("--summary", type=Path, required=True, help="summary of the scores")
    parser.add_argument("--scores", type=Path, required=True, help="scores of each case")
    parser.add_argument("--reliability", type=Path, required=True, help="summary of the reliability")
    parser.add_argument("--history", type=Path, nargs="+", required=True, help="history of each fold")
    parser.add_argument(
        "--selection", type=Path, nargs="+", required=True, help="selection of each fold, in the same order"
    )
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="model of each fold, in the same order")
    parser.add_argument(
        "--predictions", type=Path, nargs="+", required=True, help="prediction record of each fold, in the same order"
    )
    parser.add_argument("--figures", type=Path, nargs="+", required=True, help="figures (PNG)")
    parser.add_argument("--strips", type=Path, required=True, help="folder with the thumbnails of each case")
    parser.add_argument(
        "--viewer", type=Path, nargs="*", default=[], help="cases of the viewer (JSON); without it, no viewer"
    )
    parser.add_argument(
        "--challenge-2026",
        type=Path,
        nargs="*",
        default=[],
        help="table (CSV) and summary (JSON) of the scores of BraTS 2025 and 2026; without them, none",
    )
    add_task_option(parser)
    parser.add_argument(
        "--patient", nargs="?", help="source of the patients; without it, they were derived from case names"
    )
    parser.add_argument("--codes", type=json.loads, required=True, help="digest of the code of each rule, as JSON")
    parser.add_argument("--configuration", type=json.loads, required=True, help="the whole configuration, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="page to write (HTML)")
    parser.add_argument("--log", type=Path, help="log file")
    options = parser.parse_args(arguments)
    with console.job("report", options.log):
        results = read_run_results(
            manifest=options.manifest,
            validation_results=options.validation_results,
            splits=options.splits,
            summary=options.summary,
            scores=options.scores,
            reliability=options.reliability,
            histories=options.history,
            selections=options.selection,
            models=options.models,
            predictions=options.predictions,
            settings=options.configuration["prediction"],
            challenge_2026=options.challenge_2026,
        )
        content = collect_report_content(
            results, options.configuration, options.task, patients_from_names=options.patient is None
        )
        requested = options.configuration["figures"]["cases"]
        page = render_report(
            content,
            run_facts(Path(__file__).parent.parent, datetime.now(UTC)),
            task=options.task,
            figures=[embed_figure(path, options.task) for path in options.figures],
            strips=read_strips(options.strips),
            figure_cases=[selected.case for selected in select_cases(results.scores, requested, options.task)],
            viewer=_embedded_viewer(options.viewer, options.configuration["figures"], options.task),
            table=options.scores.read_bytes(),
            codes=options.codes,
            configuration=options.configuration,
        )
        write_text(options.output, page)
        for line in summary_text(content, options.output.resolve()).splitlines():
            console.logger.info("%s", line)


def _embedded_viewer(files: Sequence[Path], figures: dict[str, Any], task: Task) -> EmbeddedViewer | None:
    settings = FigureSettings.from_dict(figures)
    return embed_viewer(files[0], settings.colours, settings.opacity, task) if files else None


if __name__ == "__main__":
    main()
