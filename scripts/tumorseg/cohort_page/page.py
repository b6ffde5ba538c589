"""The cohort page as one HTML file that needs nothing beside it: style, script and pictures are embedded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tumorseg import report
from tumorseg.cohort.preview import SIDE
from tumorseg.cohort_page.cases import VOLUMES
from tumorseg.cohort_page.facts import CohortFacts, counted
from tumorseg.cohort_page.intensities import FIGURES, UNUSUAL
from tumorseg.cohort_page.thumbnails import TILES, WIDTH
from tumorseg.labels import LABEL_NAMES, MODALITY_NAMES

_HERE: Final = Path(__file__).parent
_STYLES: Final = (Path(report.__file__).parent / "style.css", _HERE / "style.css")
"""The look of the report, which this page shares, then what it has of its own."""
_HEADS: Final = {**{f"label_{label}": f"Label {label}" for label in LABEL_NAMES}, "whole": "Whole tumour"}


def render(facts: CohortFacts, strips: Mapping[str, str], colours: Mapping[int, str]) -> str:
    """The page as HTML; equal arguments give equal text.

    strips: the data URL of the pictures of each case that could be shown, by case. colours: of each label in them.
    """
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"counted": counted, "number": _number}
    return environment.get_template("template.html").render(
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
        style="".join(path.read_text(encoding="utf-8") for path in _STYLES),
        script=(_HERE / "table.js").read_text(encoding="utf-8"),
    )


def _number(value: float) -> str:
    """Three significant digits, and all of those before the point: `0.0123`, `4.57`, `12.3`, `1,235`."""
    if abs(value) < 1:
        return f"{value:.3g}"
    return f"{value:,.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f}"
