"""The figures and small pictures of the report, in a form that an HTML page can hold."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from tumorseg.errors import UserError
from tumorseg.report.captions import CAPTIONS, Caption

SECTIONS: Final = {
    "scores": ("score_distributions", "dice_by_volume", "confusion_matrix", "calibration", "left_out"),
    "cases": ("gallery", "modalities", "ground_truth", "predictions", "overlays"),
    "cohort": ("cohort_overview", "intensities"),
    "training": ("learning_curves",),
}
"""The figures of each section of the page, in their order; those that a run did not make are left out."""
_LOSSLESS_BYTES: Final = 300_000
_QUALITY: Final = 90
"""Of WebP, where it has to lose something: slices of the brain are several times smaller than as PNG."""


@dataclass(frozen=True)
class EmbeddedFigure:
    """A figure with its caption, as a data URL. width, height: in pixels."""

    name: str
    caption: Caption
    url: str
    width: int
    height: int


@dataclass(frozen=True)
class Strip:
    """The small picture of a case, as a data URL. width, height: in pixels."""

    url: str
    width: int
    height: int


def embed(path: Path) -> EmbeddedFigure:
    """Read a PNG for the page, as WebP. Raises UserError where no caption is known for its stem."""
    if path.stem not in CAPTIONS:
        raise UserError(f"{path}: the report has no caption for this figure; it knows {', '.join(sorted(CAPTIONS))}")
    with Image.open(path) as image:
        picture = image.convert("RGB")
    content = _webp(picture, lossless=True)
    if len(content) > _LOSSLESS_BYTES:
        content = _webp(picture, lossless=False)
    return EmbeddedFigure(path.stem, CAPTIONS[path.stem], _url(content), *picture.size)


def by_section(figures: Sequence[EmbeddedFigure]) -> dict[str, list[EmbeddedFigure]]:
    """The figures of each of `SECTIONS`, in its order."""
    found = {figure.name: figure for figure in figures}
    return {section: [found[name] for name in names if name in found] for section, names in SECTIONS.items()}


def read_strips(folder: Path) -> dict[str, Strip]:
    """The small picture of each case, from the WebP files in `folder`, which are named after the cases."""
    strips = {}
    for path in sorted(folder.glob("*.webp")):
        with Image.open(path) as image:
            size = image.size
        strips[path.stem] = Strip(_url(path.read_bytes()), *size)
    return strips


def _webp(picture: Image.Image, *, lossless: bool) -> bytes:
    content = io.BytesIO()
    picture.save(content, "WEBP", lossless=lossless, quality=_QUALITY, use_sharp_yuv=True)
    return content.getvalue()


def _url(content: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(content).decode()
