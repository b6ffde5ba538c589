"""Render the page of scores as self-contained HTML."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from tumorseg.evaluation.comparison_lines import ranked_folders
from tumorseg.evaluation.score_set import ScoreSet
from tumorseg.formatting import format_decimal
from tumorseg.metrics.bootstrap import FEW_CASES
from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.registry import describe_directions
from tumorseg.reporting.scores_page import content
from tumorseg.reporting.scores_page.content import ScoresPage
from tumorseg.reporting.scores_page.mask_pictures import SCALE_BAR_MM
from tumorseg.reporting.shared.html_page import render_page
from tumorseg.reporting.shared.page_links import page_links
from tumorseg.task import Task
from tumorseg.task.conventions import describe_label_map

_HERE: Final = Path(__file__).parent
MAX_TABLE_ROWS: Final = 3000
"""Rows of the table of all cases. A browser takes seconds for more."""
_FIRST_SHOWN: Final = 2
"""Number of scores that the table of all cases shows before a reader chooses others."""


def render_scores_page(
    page: ScoresPage, colours: Mapping[int, str], task: Task, *, existing_pages: Collection[str] = ()
) -> str:
    """Return the page of scores; equal arguments give equal text.

    Args:
        page: the content of the page.
        colours: colour of each label in the pictures, as `#rrggbb`.
        task: defines the labels and regions.
        existing_pages: names of the other pages of the run that the page links to, see `page_links`.
    """
    first = page.sets[0]
    sections = {"scores" if scored is first else f"scores-{scored.name}": scored.title for scored in page.sets}
    if page.pictures:
        sections["pictures"] = "Largest disagreements"
    if page.viewer:
        sections["viewer"] = "Viewer"
    sections |= {"masks": "Masks", "definitions": "Definitions"}
    return render_page(
        _HERE,
        _format_number,
        style=(_HERE / "style.css").read_text(encoding="utf-8") + (page.viewer.style if page.viewer else ""),
        subject="scores",
        few=first.summaries[first.folders[0]]["cases"] < FEW_CASES,
        pages=page_links("scores", existing_pages),
        sections=sections,
        page=page,
        sets={anchor: _set_view(scored, task) for anchor, scored in zip(sections, page.sets, strict=False)},
        notes=content.page_notes(page, task),
        task=task,
        label_map=describe_label_map(task),
        label_names=task.label_titles,
        colours=colours,
        scale_bar_mm=SCALE_BAR_MM,
        numbers=dict(zip(first.folders, content.folder_labels(first.folders), strict=True)),
        missing={folder: content.missing_texts(summary) for folder, summary in page.summaries.items()},
        comparison=first.comparison,
    )


def _set_view(scored: ScoreSet, task: Task) -> dict[str, Any]:
    """Return the variables of the sections of a set of scores."""
    table_scores = _table_scores(scored)
    columns = [(metric, region) for metric in table_scores for region in task.region_labels]
    rows = list(content.case_table_rows(scored, columns, MAX_TABLE_ROWS))
    cases = next(iter(scored.summaries.values()))["cases"]
    return {
        "scored": scored,
        "regions": {region: f"{region}: {task.structure_titles[region]}" for region in task.region_labels},
        "metrics": scored.main_scores,
        "other_metrics": [metric for metric in table_scores if metric not in scored.main_scores],
        "has_cases_without_value": content.has_cases_without_value(scored, task),
        "brackets": content.describe_brackets(scored),
        "differences": {
            metric.heading: found
            for metric in scored.main_scores
            if (found := content.difference_rows(scored, metric, task))
        },
        "significance": content.significance_sentence(scored),
        "ranked": ranked_folders(scored.comparison["ranking"]) if scored.comparison else [],
        "ranked_by": content.metric_names([metric for metric in scored.scores if "ranking" in metric.places]),
        "plots": content.case_plots(scored, task),
        "columns": columns,
        "table_scores": table_scores,
        "hidden": [index for index, (metric, _) in enumerate(columns) if metric not in table_scores[:_FIRST_SHOWN]],
        "first_shown": table_scores[:_FIRST_SHOWN],
        "rows": rows,
        "left_out": cases - len({case for case, *_ in rows}),
        "directions": describe_directions(table_scores, lambda metric: metric.title),
    }


def _table_scores(scored: ScoreSet) -> list[Metric]:
    """Return the scores of the table of all cases: the main ones, then those of the report."""
    others = [metric for metric in scored.scores if "report" in metric.places]
    return list(dict.fromkeys((*scored.main_scores, *others)))


def _format_number(value: float) -> str:
    """Return a whole number with thousands separators."""
    return format_decimal(value)
