"""Group the DICOM files of a patient into series, and find series that are incomplete."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.preparation.dicom_files import files_below, has_dicom_ending, is_dicom_file, may_be_dicom
from tumorseg.preparation.dicom_headers import DicomHeader, SliceGeometry, read_header

_SAME_PLACE_MM: Final = 0.05
"""Slices closer than this are at the same position."""
_GAP: Final = 1.5
"""Slices are missing where a distance is at least this multiple of the usual distance."""
_UNEVEN: Final = 0.1
"""Distances that differ from the usual one by more than this fraction are uneven."""
_PLANE_COSINE: Final = 0.8
"""Smallest cosine between the normal of the slices and an axis of the body for a plane that is not called oblique."""
_PLANES: Final = ("sagittal", "coronal", "axial")
MAX_INSTANCE: Final = 100_000
"""Largest InstanceNumber from which missing instances are counted; larger ones are no plain numbering."""


@dataclass(frozen=True)
class DicomSeries:
    """The slices of a series; a series with several echoes or kinds of images is divided into one for each.

    Attributes:
        header: of the first slice.
        files: paths relative to the folder of the patient, in the order of the slices along their normal; one path if
            all slices are frames of one file.
        centres_mm: centre of each slice in mm (right, front, up), in the order of `files`; empty if unknown.
        echo_time_ms: echo time; None if unknown.
        plane: `axial`, `coronal`, `sagittal`, `oblique`, or empty if unknown or if slices have several directions.
        slices: number of slices.
        spacing_mm: usual distance between neighbouring slices; None if unknown.
        directions: number of directions that slices have.
        missing_slices: slices that are missing between the first and the last one, by their distances.
        duplicate_positions: slices at a position of another one.
        missing_instances: instance numbers from 1 that no file of the whole series has; a hint only.
        mixed_sizes: whether slices have different numbers of pixels.
        truncated_slices: files that are too short for their pixels.
    """

    header: DicomHeader
    files: tuple[str, ...]
    centres_mm: tuple[tuple[float, float, float], ...]
    echo_time_ms: float | None
    plane: str
    slices: int
    spacing_mm: float | None
    directions: int
    missing_slices: int
    duplicate_positions: int
    missing_instances: int
    mixed_sizes: bool
    truncated_slices: int

    @property
    def field_of_view_mm(self) -> tuple[float, float, float] | None:
        """The size along rows, along columns and across the slices; None if unknown."""
        header = self.header
        if header.pixel_spacing_mm is None or self.spacing_mm is None or not (header.rows and header.columns):
            return None
        row_mm, column_mm = header.pixel_spacing_mm
        return (header.columns * column_mm, header.rows * row_mm, self.slices * self.spacing_mm)

    @property
    def label(self) -> str:
        """The series as messages name it, such as `series 7 (AX T1 POST)`."""
        number = "?" if self.header.number is None else str(self.header.number)
        return f"series {number} ({self.header.description or 'without description'})"


@dataclass(frozen=True)
class DicomFolder:
    """The content of the folder of a patient.

    Attributes:
        series: sorted by number and time.
        unreadable: DICOM files, by name or first bytes, whose header cannot be read.
    """

    series: tuple[DicomSeries, ...]
    unreadable: tuple[str, ...]


def read_dicom_folder(folder: Path) -> DicomFolder:
    """Return all series below a folder, from the headers of all its DICOM files."""
    candidates = [
        path
        for path in files_below(folder)
        if may_be_dicom(Path(path).name) and (has_dicom_ending(path) or is_dicom_file(folder / path))
    ]
    headers = {path: read_header(folder, path) for path in candidates}
    found = [header for header in headers.values() if header is not None]
    return DicomFolder(
        series=group_series(found),
        unreadable=tuple(path for path in candidates if headers[path] is None),
    )


def group_series(headers: Iterable[DicomHeader]) -> tuple[DicomSeries, ...]:
    """Return the series of some files, sorted by number, time and echo time. Copies of a file count once."""
    by_uid: dict[str, list[DicomHeader]] = defaultdict(list)
    seen: set[str] = set()
    for header in headers:
        if not header.image or header.image not in seen:
            by_uid[header.series].append(header)
        seen.add(header.image)
    series = [_series(part, _missing_instances(group)) for group in by_uid.values() for part in _parts_of_series(group)]
    return tuple(sorted(series, key=_order))


def _order(series: DicomSeries) -> tuple[float, str, float, str]:
    number = math.inf if series.header.number is None else series.header.number
    return (number, series.header.time, series.echo_time_ms or 0.0, series.header.series)


def _parts_of_series(headers: list[DicomHeader]) -> list[list[DicomHeader]]:
    """Divide a series in which positions occur several times by echo time, then by the kind of image."""
    parts = [headers]
    for key in (_echo_time, _image_kind):
        parts = [piece for part in parts for piece in (_divide(part, key) if _has_duplicates(part) else [part])]
    return parts


def _divide(headers: list[DicomHeader], key: Callable[[DicomHeader], Hashable]) -> list[list[DicomHeader]]:
    found: dict[Hashable, list[DicomHeader]] = defaultdict(list)
    for header in headers:
        found[key(header)].append(header)
    return list(found.values())


def _echo_time(header: DicomHeader) -> Hashable:
    return header.slices[0].echo_time_ms


def _image_kind(header: DicomHeader) -> Hashable:
    return header.image_type


def _has_duplicates(headers: list[DicomHeader]) -> bool:
    # Exact comparison: files of one position have the same text in their headers.
    places = [(part.position, part.orientation) for header in headers for part in header.slices]
    return len(set(places)) < len(places)


def _missing_instances(headers: Sequence[DicomHeader]) -> int:
    numbers = {header.instance for header in headers if header.instance is not None}
    if len(numbers) < len(headers) or min(numbers) < 0 or max(numbers) > MAX_INSTANCE:
        return 0
    return max(numbers) - min(1, *numbers) + 1 - len(numbers) if len(numbers) > 1 else 0


def _series(headers: Sequence[DicomHeader], missing_instances: int) -> DicomSeries:
    parts = [(header, part) for header in headers for part in header.slices]
    orientations = {_rounded(part.orientation) for _, part in parts}
    located = None not in orientations and all(part.position is not None for _, part in parts)
    normal = _normal(parts[0][1]) if located else None
    if normal is None or len(orientations) > 1:
        ordered, places, plane = sorted(parts, key=lambda pair: (pair[0].instance or 0, pair[0].file)), None, ""
    else:
        ordered = sorted(parts, key=lambda pair: (_along(normal, pair[1]), pair[0].instance or 0, pair[0].file))
        places = np.array([_along(normal, part) for _, part in ordered])
        plane = _plane(normal)
    first = ordered[0][0]
    expected_mm = _expected_spacing_mm(first, numbered_with_gaps=missing_instances > 0)
    spacing_mm, missing, duplicates = _spacing(places, expected_mm) if places is not None else (None, 0, 0)
    return DicomSeries(
        header=first,
        files=tuple(dict.fromkeys(header.file for header, _ in ordered)),
        centres_mm=tuple(_centre(header, part) for header, part in ordered) if places is not None else (),
        echo_time_ms=ordered[0][1].echo_time_ms,
        plane=plane,
        slices=len(ordered),
        spacing_mm=spacing_mm,
        directions=len(orientations),
        missing_slices=missing,
        duplicate_positions=duplicates,
        missing_instances=missing_instances,
        mixed_sizes=len({(header.rows, header.columns, header.pixel_spacing_mm) for header, _ in parts}) > 1,
        truncated_slices=sum(header.truncated for header in headers),
    )


def _rounded(orientation: tuple[float, ...] | None) -> tuple[float, ...] | None:
    return None if orientation is None else tuple(round(value, 2) + 0.0 for value in orientation)


def _normal(part: SliceGeometry) -> NDArray[np.float64] | None:
    row, column = np.reshape(part.orientation or (0.0,) * 6, (2, 3))
    normal = np.cross(row, column)
    length = float(np.linalg.norm(normal))
    return normal / length if length > 0.5 else None


def _along(normal: NDArray[np.float64], part: SliceGeometry) -> float:
    return float(np.dot(normal, part.position or (0.0, 0.0, 0.0)))


def _plane(normal: NDArray[np.float64]) -> str:
    axis = int(np.argmax(np.abs(normal)))
    return _PLANES[axis] if abs(normal[axis]) >= _PLANE_COSINE else "oblique"


def _centre(header: DicomHeader, part: SliceGeometry) -> tuple[float, float, float]:
    """Return the centre of a slice in mm (right, front, up)."""
    row, column = np.reshape(part.orientation or (0.0,) * 6, (2, 3))
    row_mm, column_mm = header.pixel_spacing_mm or (0.0, 0.0)
    across = row * column_mm * ((header.columns or 1) - 1) / 2 + column * row_mm * ((header.rows or 1) - 1) / 2
    x, y, z = np.array(part.position) + across
    return (-float(x), -float(y), float(z))


def _expected_spacing_mm(header: DicomHeader, *, numbered_with_gaps: bool) -> float:
    """Return the distance of slices by the header in mm; 0 if it does not say.

    Without SpacingBetweenSlices, wide gaps may lie between thin slices; then only missing numbers show missing slices.
    """
    if header.spacing_mm or numbered_with_gaps:
        return max(header.spacing_mm or 0.0, header.thickness_mm or 0.0)
    return 0.0


def _spacing(places: NDArray[np.float64], expected_mm: float) -> tuple[float | None, int, int]:
    """Return the usual distance between slices in mm, the number of missing slices, and of duplicate positions."""
    steps = np.diff(places)
    duplicates = int((steps < _SAME_PLACE_MM).sum())
    steps = steps[steps >= _SAME_PLACE_MM]
    if not steps.size:
        return None, 0, duplicates
    rounded = Counter(np.round(steps, 2).tolist())
    most = max(rounded.values())
    usual = min(step for step, count in rounded.items() if count == most)
    # Where every other slice is missing, all distances are equal: the header says what they should be.
    if expected_mm >= _SAME_PLACE_MM and usual >= _GAP * expected_mm:
        usual = expected_mm
    missing = sum(round(step / usual) - 1 for step in steps if step >= _GAP * usual)
    uneven = sum(abs(step / usual - round(step / usual)) > _UNEVEN for step in steps if step < _GAP * usual)
    return float(usual), int(missing) or int(uneven), duplicates
