"""Render the cohort page as self-contained HTML."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tumorseg.cohort.case_summary import WHOLE_TUMOUR, tumour_volume_titles
from tumorseg.cohort.overview import INTENSITY_STATISTICS, OUTLIER_Z_SCORE, CohortOverview
from tumorseg.cohort.preview import PREVIEW_SIZE
from tumorseg.formatting import format_decimal
from tumorseg.plotting.thumbnails import preview_tile_names
from tumorseg.reporting.shared.html_page import render_page
from tumorseg.task import Task
from tumorseg.task.conventions import describe_label_map

_HERE: Final = Path(__file__).parent
_SECTIONS: Final = {
    "problems": "Problems",
    "warnings": "Warnings",
    "dropped": "Dropped cases",
    "grids": "Shape and spacing",
    "volumes": "Label volumes",
    "intensities": "Intensities",
    "cases": "Usable cases",
}


def render_cohort_page(
    overview: CohortOverview, strips: Mapping[str, str], colours: Mapping[int, str], task: Task
) -> str:
    """Return the cohort page; equal arguments give equal text.

    Args:
        overview: the overview of the cohort.
        strips: data URLs of the thumbnails, by case; cases without images have none.
        colours: colour of each label in the thumbnails, as `#rrggbb`.
        task: defines the channels, labels and regions.
    """
    tiles, names = preview_tile_names(task), tumour_volume_titles(task)
    return render_page(
        _HERE,
        _format_number,
        style=(_HERE / "style.css").read_text(encoding="utf-8"),
        subject="cohort",
        sections=_SECTIONS,
        overview=overview,
        strips=strips,
        colours=colours,
        task=task,
        label_map=describe_label_map(task),
        label_names=task.label_titles,
        tiles=tiles,
        strip_size=(PREVIEW_SIZE * len(tiles), PREVIEW_SIZE),
        volume_heads={key: name if key == WHOLE_TUMOUR else name.partition(":")[0] for key, name in names.items()},
        statistics=INTENSITY_STATISTICS,
        outlier_z_score=OUTLIER_Z_SCORE,
    )


def _format_number(value: float) -> str:
    """Return a number with three significant digits, and all digits before the point: `0.0123`, `12.3`, `1,235`."""
    if abs(value) < 1:
        return f"{value:.3g}".replace("-", "−")
    return format_decimal(value, 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0)
