"""The cohort page as one HTML file that needs nothing beside it: style, script and pictures are embedded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tumorseg.cohort.preview import SIDE
from tumorseg.cohort_page.cases import VOLUMES
from tumorseg.cohort_page.facts import CohortFacts
from tumorseg.cohort_page.intensities import FIGURES, UNUSUAL
from tumorseg.cohort_page.thumbnails import TILES, WIDTH
from tumorseg.labels import LABEL_NAMES, MODALITY_NAMES
from tumorseg.pages.page import render_page
from tumorseg.pages.words import decimal

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
_HEADS: Final = {**{f"label_{label}": f"Label {label}" for label in LABEL_NAMES}, "whole": "Whole tumour"}


def render(facts: CohortFacts, strips: Mapping[str, str], colours: Mapping[int, str]) -> str:
    """The page as HTML; equal arguments give equal text.

    strips: the data URL of the pictures of each case that could be shown, by case. colours: of each label in them.
    """
    return render_page(
        _HERE,
        _number,
        style=(_HERE / "style.css").read_text(encoding="utf-8"),
        subject="cohort",
        sections=_SECTIONS,
        facts=facts,
        strips=strips,
        colours=colours,
        label_names=LABEL_NAMES,
        tiles=[MODALITY_NAMES.get(tile, tile) for tile in TILES],
        strip_size=(WIDTH, SIDE),
        volumes=VOLUMES,
        volume_heads=_HEADS,
        figures=FIGURES,
        unusual=UNUSUAL,
    )


def _number(value: float) -> str:
    """Three significant digits, and all of those before the point: `0.0123`, `4.57`, `12.3`, `1,235`."""
    if abs(value) < 1:
        return f"{value:.3g}".replace("-", "−")
    return decimal(value, 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0)
