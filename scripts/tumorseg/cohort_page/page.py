"""The cohort page as one HTML file that needs nothing beside it: style, script and pictures are embedded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tumorseg.cohort.preview import SIDE
from tumorseg.cohort_page.cases import WHOLE, volume_names
from tumorseg.cohort_page.facts import CohortFacts
from tumorseg.cohort_page.intensities import FIGURES, UNUSUAL
from tumorseg.cohort_page.thumbnails import tile_names
from tumorseg.pages.page import render_page
from tumorseg.pages.task_words import label_map_words
from tumorseg.pages.words import decimal
from tumorseg.task import Task

_HERE: Final = Path(__file__).parent
_SECTIONS: Final = {
    "reasons": "Dropped by reason",
    "warnings": "Warnings",
    "dropped": "Dropped cases",
    "grids": "Shape and spacing",
    "volumes": "Volumes",
    "intensities": "Intensities",
    "cases": "Usable cases",
}


def render(facts: CohortFacts, strips: Mapping[str, str], colours: Mapping[int, str], task: Task) -> str:
    """The page as HTML; equal arguments give equal text.

    strips: the data URL of the pictures of each case that could be shown, by case. colours: of each label in them.
    """
    tiles, names = tile_names(task), volume_names(task)
    return render_page(
        _HERE,
        _number,
        style=(_HERE / "style.css").read_text(encoding="utf-8"),
        subject="cohort",
        sections=_SECTIONS,
        facts=facts,
        strips=strips,
        colours=colours,
        task=task,
        label_map=label_map_words(task),
        label_names=task.label_titles,
        tiles=tiles,
        strip_size=(SIDE * len(tiles), SIDE),
        volume_heads={key: name if key == WHOLE else name.partition(":")[0] for key, name in names.items()},
        figures=FIGURES,
        unusual=UNUSUAL,
    )


def _number(value: float) -> str:
    """Three significant digits, and all of those before the point: `0.0123`, `4.57`, `12.3`, `1,235`."""
    if abs(value) < 1:
        return f"{value:.3g}".replace("-", "−")
    return decimal(value, 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0)
