"""Render the report as self-contained HTML."""

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tumorseg.formatting import format_decimal
from tumorseg.metrics.registry import RANKED_BY, describe_directions, metric, metrics
from tumorseg.plotting.agreement_map import task_outcomes
from tumorseg.plotting.style import label_colours
from tumorseg.plotting.thumbnails import strip_tile_names
from tumorseg.provenance.run_facts import RunFacts
from tumorseg.reporting.report.case_columns import VOLUMES, CaseColumn, case_columns
from tumorseg.reporting.report.case_rows import describe_conventions
from tumorseg.reporting.report.challenge_2026 import MAIN_METRICS, OTHER_METRICS
from tumorseg.reporting.report.content import ReportContent
from tumorseg.reporting.report.embedded_images import EmbeddedFigure, EmbeddedStrip, group_by_section
from tumorseg.reporting.report.false_components import MIN_LOSS
from tumorseg.reporting.report.methods import describe_methods, describe_training
from tumorseg.reporting.report.structures import distinct_structures
from tumorseg.reporting.shared.few_cases import axis_limits, case_points
from tumorseg.reporting.shared.html_page import render_page
from tumorseg.reporting.shared.page_links import page_links
from tumorseg.reporting.viewer.embed import EmbeddedViewer
from tumorseg.task import Task
from tumorseg.task.conventions import describe_label_map

_HERE: Final = Path(__file__).parent
_ROWS_AT_ONCE: Final = 100
"""Rows of the table of cases that are shown at first."""
_SECTIONS: Final = {
    "scores": "Scores",
    "viewer": "Viewer",
    "cases": "Cases",
    "failures": "Failures",
    "figures": "Figures",
    "training": "Training",
    "cohort": "Cohort",
    "methods": "Methods",
    "run": "Provenance",
}


def render_report(
    content: ReportContent,
    run: RunFacts,
    *,
    task: Task,
    figures: Sequence[EmbeddedFigure],
    strips: Mapping[str, EmbeddedStrip],
    figure_cases: Sequence[str],
    viewer: EmbeddedViewer | None,
    table: bytes,
    codes: Mapping[str, str],
    configuration: dict[str, Any],
) -> str:
    """Return the report; equal arguments give equal text.

    Args:
        content: the content of the report.
        run: time, code, machine and software of the run.
        task: defines the channels, labels and regions.
        figures: the figures.
        strips: the thumbnails, by case.
        figure_cases: the cases in the figures.
        viewer: the interactive viewer, or None.
        table: the table of all scores as CSV, for download from the page.
        codes: digest and packages of the code behind each rule, as `"digest  packages"`.
        configuration: the configuration with all its sections.
    """
    colours = label_colours(configuration["figures"])
    columns = case_columns(content.cases, task)
    methods = describe_methods(content, configuration, task, run.versions)
    return render_page(
        _HERE,
        _format_number,
        style=(_HERE / "style.css").read_text(encoding="utf-8") + (viewer.style if viewer else ""),
        subject="report",
        # The cohort page is written before the report.
        pages=page_links("report", ("cohort",)),
        sections={section: heading for section, heading in _SECTIONS.items() if viewer or section != "viewer"},
        task=task,
        label_map=describe_label_map(task),
        content=content,
        run=run,
        training=describe_training(configuration),
        methods=methods,
        bibtex="data:application/x-bibtex;base64," + base64.b64encode(methods.bibtex().encode()).decode(),
        figures=group_by_section(figures),
        strips=strips,
        tiles=strip_tile_names(task),
        figure_cases=figure_cases,
        viewer=viewer,
        anchors={case.case: case.anchor for case in content.cases},
        table="data:application/gzip;base64," + base64.b64encode(gzip.compress(table, mtime=0)).decode(),
        codes={rule: digest.split("  ", 1) for rule, digest in codes.items()},
        colours=colours,
        label_names=task.label_titles,
        outcomes=task_outcomes(task),
        regions=tuple(task.region_labels),
        metrics_2026=MAIN_METRICS,
        other_metrics_2026=OTHER_METRICS,
        min_loss=MIN_LOSS,
        distinct=distinct_structures(task),
        points=_points(content, task) if content.few else {},
        headline_metrics=metrics("headline"),
        macro_metrics=metrics("macro"),
        report_metrics=metrics("report"),
        case_columns=columns,
        rows_at_once=_ROWS_AT_ONCE,
        column_choices=_column_choices(columns),
        volumes=VOLUMES,
        all_metrics=metrics(),
        ranked_by=metric(RANKED_BY),
        directions=describe_directions(metrics(), lambda metric: metric.title),
        conventions=describe_conventions(metrics("report_cases")),
        configuration=json.dumps(configuration, indent=2, ensure_ascii=False),
    )


def _column_choices(columns: Sequence[CaseColumn]) -> dict[str, str]:
    """Return the title of each choice of columns of the table of cases."""
    titles = {"patient": "Patient", "fold": "Fold", "volumes": "Volumes"}
    return {column.score: column.metric.title if column.metric else titles[column.score] for column in columns}


def _points(content: ReportContent, task: Task) -> dict[str, dict[str, str]]:
    """Return the points of the main table as SVG, by structure and score. The structures share the axis of a score."""
    structures = distinct_structures(task)
    limits = {
        metric.name: axis_limits(
            metric, [value for name in structures for value in content.structures[name].values[metric.name]]
        )
        for metric in metrics("headline")
    }
    return {
        name: {
            metric.name: case_points(content.structures[name].values[metric.name], metric, limits[metric.name])
            for metric in metrics("headline")
        }
        for name in structures
    }


def _format_number(value: Any) -> str:
    """Return whole numbers with thousands separators, others with four significant digits, and text unchanged."""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return format_decimal(value) if isinstance(value, int | float) else str(value)
