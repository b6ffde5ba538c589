"""Render the cohort page as self-contained HTML."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tumorseg.cohort.case_summary import WHOLE_TUMOUR, tumour_volume_titles
from tumorseg.cohort.outliers import MIN_CASES, OUTLIER_Z_SCORE
from tumorseg.cohort.overview import INTENSITY_STATISTICS, CohortOverview
from tumorseg.formatting import format_decimal
from tumorseg.plotting.thumbnails import preview_tile_names
from tumorseg.reporting.shared.html_page import render_page
from tumorseg.reporting.shared.page_links import page_links
from tumorseg.reporting.shared.script_json import script_safe_json
from tumorseg.reporting.shared.shared_warnings import shared_warnings
from tumorseg.task import Task
from tumorseg.task.conventions import describe_label_map

_HERE: Final = Path(__file__).parent
_ROWS_AT_ONCE: Final = 100
"""Rows that a long table shows at first: a browser takes seconds to lay out a thousand."""
_TILE_REM: Final = 6
"""Width of a tile in the tables, in rem."""
_SECTIONS: Final = {
    "problems": "Problems",
    "warnings": "Warnings",
    "dropped": "Dropped cases",
    "grids": "Shape and spacing",
    "volumes": "Label volumes",
    "intensities": "Intensities",
    "outliers": "Outliers",
    "marks": "Keep or exclude",
    "cases": "Usable cases",
}


def render_cohort_page(
    overview: CohortOverview, strips: Mapping[str, str], colours: Mapping[int, str], task: Task, tile_pixels: int
) -> str:
    """Return the cohort page; equal arguments give equal text.

    Args:
        overview: the overview of the cohort.
        strips: data URLs of the thumbnails, by case; cases without images have none.
        colours: colour of each label in the thumbnails, as `#rrggbb`.
        task: defines the channels, labels and regions.
        tile_pixels: width and height of each tile of the thumbnails.
    """
    tiles, names = preview_tile_names(task), tumour_volume_titles(task)
    shared = shared_warnings([case.warnings for case in overview.usable])
    exclusions = [(case.case, case.exclusion) for case in overview.dropped if case.exclusion is not None]
    return render_page(
        _HERE,
        _format_number,
        style=(_HERE / "style.css").read_text(encoding="utf-8")
        + f"@media screen {{ .strip, .tiles {{ width: {_TILE_REM * len(tiles)}rem; }} }}\n",
        review_script=(_HERE / "review.js").read_text(encoding="utf-8"),
        review_settings=script_safe_json({"tiles": tiles, "excluded": exclusions}),
        subject="cohort",
        pages=page_links("cohort"),
        sections=_SECTIONS,
        overview=overview,
        shared=shared,
        shared_codes={warning.code for warning in shared},
        exclusions=exclusions,
        strips=strips,
        colours=colours,
        task=task,
        label_map=describe_label_map(task),
        label_names=task.label_titles,
        tiles=tiles,
        strip_size=(tile_pixels * len(tiles), tile_pixels),
        rows_at_once=_ROWS_AT_ONCE,
        volume_heads={key: name if key == WHOLE_TUMOUR else name.partition(":")[0] for key, name in names.items()},
        statistics=INTENSITY_STATISTICS,
        outlier_z_score=OUTLIER_Z_SCORE,
        outlier_min_cases=MIN_CASES,
    )


def _format_number(value: float) -> str:
    """Return a number with three significant digits, and all digits before the point: `0.0123`, `12.3`, `1,235`."""
    if abs(value) < 1:
        return f"{value:.3g}".replace("-", "−")
    return format_decimal(value, 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0)
