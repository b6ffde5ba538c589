"""Describe all DICOM series of a patient in a table: what was decided, and the facts of the headers."""

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from tumorseg.preparation.dicom_series import DicomSeries

_TABLE_COLUMNS: Final = (
    *("series", "description", "decision", "modality", "body_part", "plane", "slices", "slice_spacing_mm"),
    *("slice_thickness_mm", "pixel_spacing_mm", "field_of_view_mm", "acquisition", "tr_ms", "te_ms", "ti_ms"),
    *("flip_angle_degrees", "sequence", "variant", "contrast_agent", "image_type", "study", "time", "missing_slices"),
    *("missing_instances", "files"),
)


def series_table(series: Sequence[DicomSeries], decisions: Sequence[str]) -> pd.DataFrame:
    """Return a table with a row for each series: what was decided, and the facts of its header."""
    studies = list(dict.fromkeys(one.header.study for one in series))
    rows = [
        [_cell(value) for value in _row(one, decision, studies.index(one.header.study) + 1)]
        for one, decision in zip(series, decisions, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(_TABLE_COLUMNS), dtype=object)


def _row(series: DicomSeries, decision: str, study: int) -> list[Any]:
    header = series.header
    return [
        *(header.number, header.description, decision, header.modality, header.body_part, series.plane, series.slices),
        *(series.spacing_mm, header.thickness_mm, header.pixel_spacing_mm, series.field_of_view_mm),
        *(header.acquisition, header.tr_ms, series.echo_time_ms, header.ti_ms, header.flip_angle_degrees),
        *(header.sequence, header.variant, header.agent, "\\".join(header.image_type), study, header.time),
        *(series.missing_slices, series.missing_instances, len(series.files)),
    ]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " x ".join(f"{number:.4g}" for number in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
