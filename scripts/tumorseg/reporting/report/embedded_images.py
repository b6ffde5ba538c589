"""Embed the figures and thumbnails of the report as data URLs."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from tumorseg.errors import UserError
from tumorseg.plotting import figure_list
from tumorseg.plotting.figure_record import SECTIONS, Caption, FigureRecord
from tumorseg.task import Task

_MAX_LOSSLESS_BYTES: Final = 300_000
_QUALITY: Final = 90
"""Quality of lossy WebP, which makes brain slices several times smaller than PNG."""


@dataclass(frozen=True)
class EmbeddedFigure:
    """A figure with its caption, as a data URL."""

    record: FigureRecord
    caption: Caption
    url: str
    width_px: int
    height_px: int

    @property
    def name(self) -> str:
        """The stem of its files."""
        return self.record.stem


@dataclass(frozen=True)
class EmbeddedStrip:
    """The thumbnails of a case as a data URL."""

    url: str
    width_px: int
    height_px: int


def embed_figure(path: Path, task: Task) -> EmbeddedFigure:
    """Return a figure, read from its PNG file and embedded as WebP.

    Args:
        path: the file, whose stem is that of a figure.
        task: defines the texts of the caption.

    Raises:
        UserError: no figure has the stem of the file.
    """
    records = {record.stem: record for record in figure_list.FIGURES}
    if path.stem not in records:
        raise UserError(f"{path}: the report has no caption for this figure; known are {', '.join(sorted(records))}")
    record = records[path.stem]
    with Image.open(path) as image:
        picture = image.convert("RGB")
    content = _encode_webp(picture, lossless=True)
    if len(content) > _MAX_LOSSLESS_BYTES:
        content = _encode_webp(picture, lossless=False)
    return EmbeddedFigure(record, record.caption_for(task), _data_url(content), *picture.size)


def group_by_section(figures: Sequence[EmbeddedFigure]) -> dict[str, list[EmbeddedFigure]]:
    """Return the figures of each section of the report, in the order of `figure_list.FIGURES`."""
    by_name = {figure.record.name: figure for figure in figures}
    ordered = [by_name[record.name] for record in figure_list.FIGURES if record.name in by_name]
    return {section: [figure for figure in ordered if figure.record.section == section] for section in SECTIONS}


def read_strips(folder: Path) -> dict[str, EmbeddedStrip]:
    """Return the thumbnails of each case from a folder of WebP files, which are named after the cases."""
    strips = {}
    for path in sorted(folder.glob("*.webp")):
        with Image.open(path) as image:
            size = image.size
        strips[path.stem] = EmbeddedStrip(_data_url(path.read_bytes()), *size)
    return strips


def _encode_webp(picture: Image.Image, *, lossless: bool) -> bytes:
    content = io.BytesIO()
    picture.save(content, "WEBP", lossless=lossless, quality=_QUALITY, use_sharp_yuv=True)
    return content.getvalue()


def _data_url(content: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(content).decode()
