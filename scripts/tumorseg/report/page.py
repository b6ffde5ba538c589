"""The report as one HTML page that needs nothing beside it: style and figures are embedded."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tumorseg.errors import UserError
from tumorseg.labels import STRUCTURES
from tumorseg.pages.page import render_page
from tumorseg.report.captions import CAPTIONS, Caption
from tumorseg.report.facts import Facts

_HERE: Final = Path(__file__).parent
_SECTIONS: Final = {
    "scores": "Scores",
    "figures": "Figures",
    "cohort": "Cohort",
    "training": "Training",
    "cases": "Scores of each case",
    "configuration": "Configuration",
}
_SCORE_NAMES: Final = {"dice": "Dice", "iou": "IoU", "f1": "F1"}
"""The scores of the first table."""
_LESION_SCORE_NAMES: Final = {
    "lesionwise_dice": ("Lesion-wise Dice", 3),
    "lesionwise_hd95": ("Lesion-wise HD95, mm", 1),
    "hd95": ("HD95 as in BraTS, mm", 1),
    "hd95_border": ("HD95 of border voxels, mm", 1),
    "surface_dice": ("Surface Dice", 3),
    "volume_error_mm3": ("Volume error, mm³", 0),
}
"""The scores of the second table, and their decimals."""
_OTHER_SCORE_NAMES: Final = {"precision": "Precision", "sensitivity": "Sensitivity", "specificity": "Specificity"}
_SIZE_IN_HEADER: Final = slice(16, 24)  # of a PNG: width and height, four bytes each


@dataclass(frozen=True)
class EmbeddedFigure:
    """A figure with its caption, as a data URL. width, height: in pixels."""

    name: str
    caption: Caption
    url: str
    width: int
    height: int


def embed(path: Path) -> EmbeddedFigure:
    """Read a PNG for the page. Raises UserError where no caption is known for its stem."""
    if path.stem not in CAPTIONS:
        raise UserError(f"{path}: the report has no caption for this figure; it knows {', '.join(sorted(CAPTIONS))}")
    content = path.read_bytes()
    size = content[_SIZE_IN_HEADER]
    return EmbeddedFigure(
        name=path.stem,
        caption=CAPTIONS[path.stem],
        url="data:image/png;base64," + base64.b64encode(content).decode(),
        width=int.from_bytes(size[:4]),
        height=int.from_bytes(size[4:]),
    )


def render(facts: Facts, figures: Sequence[EmbeddedFigure], configuration: dict[str, Any]) -> str:
    """The page as HTML; equal arguments give equal text."""
    return render_page(
        _HERE,
        _number,
        subject="report",
        sections=_SECTIONS,
        facts=facts,
        figures=figures,
        structures=tuple(STRUCTURES),
        score_names=_SCORE_NAMES,
        lesion_score_names=_LESION_SCORE_NAMES,
        all_score_names={
            **_SCORE_NAMES,
            **_OTHER_SCORE_NAMES,
            **{score: name for score, (name, _) in _LESION_SCORE_NAMES.items()},
        },
        configuration=json.dumps(configuration, indent=2, ensure_ascii=False),
    )


def _number(value: Any) -> str:
    """Whole numbers as they are, others with four significant digits, text unchanged."""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return f"{value:.0f}" if isinstance(value, float) else str(value)
