"""Read the geometry and the identity of the DICOM series that a segmentation refers to."""

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.valuerep import DA, TM

_SAME_PLACE_MM: Final = 0.05
"""Slices closer than this are at the same position."""
_TOLERANCES: Final = {"ImageOrientationPatient": 1e-3, "PixelSpacing": 1e-4}
"""Largest differences between slices, whose headers have rounded numbers."""

_IDENTITY: Final = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
_SIZE: Final = ("Rows", "Columns")
_GEOMETRY: Final = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness")
_GROUPS: Final = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_PATIENT_AND_STUDY: Final = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
)
"""The elements of the modules Patient and General Study that each object of a study must have."""
_OPTIONAL: Final = (
    # An archive needs the first two to find the patient. The next two record that the source was made anonymous.
    *("IssuerOfPatientID", "TypeOfPatientID", "PatientIdentityRemoved", "DeidentificationMethod"),
    *("SpecificCharacterSet", "Modality", "SeriesNumber", "PositionReferenceIndicator"),
    *("ContentDate", "ContentTime", "AcquisitionDate", "AcquisitionTime", "SeriesDate", "SeriesTime"),
    *("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod"),
)
_EXPORT_AGAIN: Final = "export the series again from its archive"


class DicomSourceError(Exception):
    """The masks of a patient cannot be written as DICOM, because of the files of the source series.

    The message says what is wrong and what to do. It has no name or value of a file, since these may identify a person.
    """


@dataclass(frozen=True, eq=False)
class SourceSeries:
    """A DICOM series of parallel slices.

    Attributes:
        headers: a header for each slice in the order of `positions`, or the single header of a multi-frame image. They
            have no pixels, and no elements about the patient but those that each object of a study must have.
        positions: centre of the first pixel of each slice in mm (LPS), (S, 3). Slices are in the order of the frames of
            a multi-frame image, otherwise along the normal of their plane.
        column_step: from a pixel to its neighbour in the next column, in mm (LPS), (3,).
        row_step: from a pixel to its neighbour in the next row, in mm (LPS), (3,).
        columns: number of columns.
        rows: number of rows.
    """

    headers: tuple[Dataset, ...]
    positions: NDArray[np.float64]
    column_step: NDArray[np.float64]
    row_step: NDArray[np.float64]
    columns: int
    rows: int


def slice_distances(series: SourceSeries) -> NDArray[np.float64]:
    """Return the position of each slice along the normal of its plane in mm, (S,)."""
    normal = np.cross(series.column_step, series.row_step)
    distances: NDArray[np.float64] = series.positions @ (normal / np.linalg.norm(normal))
    return distances


def read_source_series(files: Sequence[Path]) -> SourceSeries:
    """Read the headers of a series: files of one slice each, or one multi-frame file.

    Files with equal UID and position are copies and count once.

    Args:
        files: all files of the series, in any order.

    Returns:
        The series, with decoded texts in UTF-8.

    Raises:
        DicomSourceError: the files are not one series of parallel slices at different positions.
    """
    if not files:
        raise DicomSourceError("the source series has no files; give the DICOM files that were converted")
    _silence_loggers()
    with warnings.catch_warnings(action="ignore"):
        headers = [_read_header(path, number, len(files)) for number, path in enumerate(sorted(files), 1)]
        _require_equal(headers, ("PatientID", *_IDENTITY[2:], *_SIZE))
        if any(_GROUPS[0] in header for header in headers):
            return _multi_frame_series(headers)
        slices = _without_copies(headers)
        series = _series(slices, headers[0])
    order = np.argsort(slice_distances(series))
    return SourceSeries(
        tuple(slices[index] for index in order),
        series.positions[order],
        series.column_step,
        series.row_step,
        series.columns,
        series.rows,
    )


def _silence_loggers() -> None:
    """Stop the messages of pydicom and highdicom, which quote values of headers; these may identify a person."""
    for name in ("pydicom", "highdicom"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _multi_frame_series(headers: Sequence[Dataset]) -> SourceSeries:
    """Return the series of one multi-frame image, whose header gets the groups that a segmentation needs, no others."""
    if len(headers) > 1:
        raise DicomSourceError("the source series has several multi-frame files; give the one that was converted")
    frames = _frames(headers[0])
    series = _series(frames, headers[0])
    shared = Dataset()
    shared.PlaneOrientationSequence = [_elements(frames[0], "ImageOrientationPatient")]
    shared.PixelMeasuresSequence = [_elements(frames[0], "PixelSpacing", "SliceThickness")]
    groups = [Dataset() for _ in frames]
    for group, frame in zip(groups, frames, strict=True):
        group.PlanePositionSequence = [_elements(frame, "ImagePositionPatient")]
    headers[0].SharedFunctionalGroupsSequence = [shared]
    headers[0].PerFrameFunctionalGroupsSequence = groups
    return SourceSeries(
        (headers[0],), series.positions, series.column_step, series.row_step, series.columns, series.rows
    )


def _series(slices: Sequence[Dataset], header: Dataset) -> SourceSeries:
    """Return the series of slices, all of which get the orientation, the pixel size and the thickness of the first."""
    orientation, edges = _numbers(slices[0], "ImageOrientationPatient", 6), _numbers(slices[0], "PixelSpacing", 2)
    for each in slices[1:]:
        for keyword, expected in (("ImageOrientationPatient", orientation), ("PixelSpacing", edges)):
            if np.abs(_numbers(each, keyword, len(expected)) - expected).max() > _TOLERANCES[keyword]:
                raise DicomSourceError(f"slices of the source series differ in {keyword}; give those of one plane only")
            each[keyword] = slices[0][keyword]
    positions = np.array([_numbers(each, "ImagePositionPatient", 3) for each in slices])
    # The first number of PixelSpacing is the distance between rows.
    column_step, row_step = orientation[:3] * edges[1], orientation[3:] * edges[0]
    series = SourceSeries(tuple(slices), positions, column_step, row_step, int(header.Columns), int(header.Rows))
    gaps = np.diff(np.sort(slice_distances(series)))
    if (gaps < _SAME_PLACE_MM).any():
        raise DicomSourceError("slices of the source series are at the same position; give one image for each slice")
    # A segmentation must have a thickness. The distance of the slices replaces one that is missing.
    thickness = slices[0].get("SliceThickness") or (f"{np.median(gaps):.6g}" if gaps.size else None)
    if not thickness:
        raise DicomSourceError(f"the source series has no SliceThickness; {_EXPORT_AGAIN}")
    for each in slices:
        each.SliceThickness = thickness
    return series


def _read_header(path: Path, number: int, count: int) -> Dataset:
    """Return the header of a file, which is file `number` of `count`, with decoded texts."""
    file = f"file {number} of the {count} files of the source series, in the order of their names,"
    wanted = (*_IDENTITY, *_SIZE, *_GEOMETRY, "NumberOfFrames", *_GROUPS, *_PATIENT_AND_STUDY, *_OPTIONAL)
    try:
        # Old archives write files without the first bytes that mark DICOM.
        header = dcmread(path, force=True, stop_before_pixels=True, specific_tags=list(wanted))
        header.decode()
        missing = [keyword for keyword in (*_IDENTITY, *_SIZE) if not header.get(keyword)]
    except Exception as error:  # a corrupted file must not end the run, whatever pydicom raises
        raise DicomSourceError(f"{file} cannot be read as DICOM ({type(error).__name__}); {_EXPORT_AGAIN}") from None
    if missing:
        raise DicomSourceError(f"{file} has no {missing[0]}; {_EXPORT_AGAIN}")
    for keyword in _PATIENT_AND_STUDY:
        if keyword not in header or not _is_valid(header, keyword):
            setattr(header, keyword, "")
    return header


def _is_valid(header: Dataset, keyword: str) -> bool:
    """Return whether the standard allows the value of an element of the patient or study. Invalid ones are left out."""
    value = header[keyword].value
    if keyword == "PatientSex":
        return value in {"", "M", "F", "O"}
    kind = {"DA": DA, "TM": TM}.get(header[keyword].VR)
    try:
        return kind is None or not value or bool(kind(value))
    except ValueError:
        return False


def _require_equal(headers: Sequence[Dataset], keywords: Sequence[str]) -> None:
    for keyword in keywords:
        if len({str(header.get(keyword)) for header in headers}) > 1:
            raise DicomSourceError(f"the source files differ in {keyword}; give the files of one series only")


def _without_copies(headers: Sequence[Dataset]) -> list[Dataset]:
    once: dict[str, Dataset] = {}
    for header in headers:
        kept = once.setdefault(header.SOPInstanceUID, header)
        if (_numbers(header, "ImagePositionPatient", 3) != _numbers(kept, "ImagePositionPatient", 3)).any():
            raise DicomSourceError(f"two slices of the source series have one SOPInstanceUID; {_EXPORT_AGAIN}")
    return list(once.values())


def _frames(header: Dataset) -> list[Dataset]:
    """Return the geometry of each frame of a multi-frame image, in the elements of a single-frame header."""
    places = {
        "PlanePositionSequence": ("ImagePositionPatient",),
        "PlaneOrientationSequence": ("ImageOrientationPatient",),
        "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness"),
    }
    frames = [Dataset() for _ in header.get(_GROUPS[1], [])]
    for frame, own in zip(frames, header.get(_GROUPS[1], []), strict=True):
        for name, keywords in places.items():
            for groups in (own, header[_GROUPS[0]].value[0]):
                if groups.get(name) and not any(keyword in frame for keyword in keywords):
                    frame.update(_elements(groups[name].value[0], *keywords))
    if not frames:
        raise DicomSourceError(f"the multi-frame source image has no geometry of its frames; {_EXPORT_AGAIN}")
    return frames


def _elements(source: Dataset, *keywords: str) -> Dataset:
    result = Dataset()
    for keyword in keywords:
        if keyword in source:
            result[keyword] = source[keyword]
    return result


def _numbers(header: Dataset, keyword: str, length: int) -> NDArray[np.float64]:
    """Return the numbers of an element.

    Raises:
        DicomSourceError: it is missing, or is not `length` finite numbers.
    """
    try:
        values = np.array([float(value) for value in header[keyword].value])
    except (KeyError, TypeError, ValueError):
        values = np.empty(0)
    if values.shape != (length,) or not np.isfinite(values).all():
        raise DicomSourceError(f"the source series has no valid {keyword}; {_EXPORT_AGAIN}")
    return values
