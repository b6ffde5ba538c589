"""The report as one HTML page that needs nothing beside it: style, scripts and pictures are embedded."""

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tumorseg.figures.comparison import outcomes
from tumorseg.figures.strips import tiles
from tumorseg.figures.style import colours_of
from tumorseg.metrics.registry import RANKED_BY, directions, metric, metrics
from tumorseg.pages.page import render_page
from tumorseg.pages.task_words import label_map_words
from tumorseg.pages.words import decimal
from tumorseg.provenance.run import RunFacts
from tumorseg.report.cases import conventions
from tumorseg.report.facts import Facts
from tumorseg.report.pictures import EmbeddedFigure, Strip, by_section
from tumorseg.task import Task
from tumorseg.viewer.parts import ViewerParts

_HERE: Final = Path(__file__).parent
_SECTIONS: Final = {
    "scores": "Scores",
    "cases": "Cases",
    "cohort": "Cohort",
    "training": "Training",
    "run": "How this was made",
}


def render(
    facts: Facts,
    run: RunFacts,
    *,
    task: Task,
    figures: Sequence[EmbeddedFigure],
    strips: Mapping[str, Strip],
    shown: Sequence[str],
    viewer: ViewerParts | None,
    table: bytes,
    codes: Mapping[str, str],
    configuration: dict[str, Any],
) -> str:
    """The page as HTML; equal arguments give equal text.

    strips: the small picture of each case. shown: the cases in the figures. viewer: None where there is none. table: of
    all scores, CSV, to be saved from the page. codes: digest and packages of each rule's code.
    """
    colours = colours_of(configuration["figures"])
    return render_page(
        _HERE,
        _number,
        style=(_HERE / "style.css").read_text(encoding="utf-8") + (viewer.style if viewer else ""),
        subject="report",
        sections=_SECTIONS,
        task=task,
        label_map=label_map_words(task),
        facts=facts,
        run=run,
        figures=by_section(figures),
        strips=strips,
        tiles=tiles(task),
        shown=shown,
        viewer=viewer,
        anchors={case.case: case.anchor for case in facts.cases},
        table="data:application/gzip;base64," + base64.b64encode(gzip.compress(table, mtime=0)).decode(),
        codes={rule: digest.split("  ", 1) for rule, digest in codes.items()},
        colours=colours,
        label_names=task.label_titles,
        outcomes=outcomes(task),
        structures=tuple(task.structures),
        regions=tuple(task.region_labels),
        macro_metrics=metrics("macro"),
        report_metrics=metrics("report"),
        case_metrics=metrics("report_cases"),
        all_metrics=metrics(),
        ranked_by=metric(RANKED_BY),
        directions=directions(metrics(), lambda metric: metric.title),
        conventions=conventions(metrics("report_cases")),
        configuration=json.dumps(configuration, indent=2, ensure_ascii=False),
    )


def _number(value: Any) -> str:
    """Whole numbers with thousands set apart, others with four significant digits, text unchanged."""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return decimal(value) if isinstance(value, int | float) else str(value)
