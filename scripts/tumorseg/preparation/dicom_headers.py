"""Read the elements of DICOM headers that the choice of series needs; pixels and personal data are not kept."""

import hashlib
import logging
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pydicom
from pydicom.dataset import Dataset

from tumorseg.cohort.file_names import printable

_ELEMENTS: Final = (
    *("SOPInstanceUID", "Modality", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "StudyDate"),
    *("PatientID", "IssuerOfPatientID", "SeriesNumber", "SeriesDescription", "ProtocolName", "BodyPartExamined"),
    *("ImageType", "InstanceNumber", "AcquisitionTime", "SeriesTime", "MRAcquisitionType", "ContrastBolusAgent"),
    *("ScanningSequence", "SequenceVariant", "RepetitionTime", "EchoTime", "InversionTime", "FlipAngle"),
    *("Rows", "Columns", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices", "ImagePositionPatient"),
    *("ImageOrientationPatient", "NumberOfFrames", "BitsAllocated", "SamplesPerPixel", "DiffusionBValue"),
    *("ContrastBolusAgentSequence", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
)
_DIGEST_LENGTH: Final = 16
_NO_AGENT: Final = frozenset(
    {"", "NO", "NONE", "N", "0", "FALSE", "NEIN", "OHNE", "NON", "KEIN", "KEINE", "NO CONTRAST", "WITHOUT", "-", "NIL"}
)
"""What technicians enter as contrast agent if there was none."""


@dataclass(frozen=True)
class SliceGeometry:
    """The place of a slice.

    Attributes:
        position: centre of the first pixel in mm (left, back, up); None if the header has none.
        orientation: directions of a row and of a column, six numbers; None if the header has none.
        echo_time_ms: echo time of the slice.
    """

    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    echo_time_ms: float | None


@dataclass(frozen=True)
class DicomHeader:
    """The header of a DICOM file. Missing numbers are None, missing texts empty.

    Attributes:
        file: path relative to the folder of the patient.
        image: SOPInstanceUID.
        series: SeriesInstanceUID.
        study: digest of StudyInstanceUID; empty without one.
        patient: digest of PatientID and its issuer; empty without one.
        frame_of_reference: digest of FrameOfReferenceUID; empty without one.
        study_date: StudyDate as YYYY-MM-DD; empty if it is unknown or no date.
        is_date_invalid: whether there is a StudyDate that is no date, such as `00000000`.
        time: time of the acquisition, or of the series, as HHMMSS.
        modality: Modality.
        number: SeriesNumber.
        instance: InstanceNumber.
        description: SeriesDescription, or else ProtocolName.
        body_part: BodyPartExamined in capitals.
        image_type: values of ImageType in capitals.
        agent: contrast agent; empty if none was given or it is unknown.
        sequence: ScanningSequence.
        variant: SequenceVariant.
        acquisition: `2D` or `3D`.
        tr_ms: RepetitionTime.
        ti_ms: InversionTime.
        flip_angle_degrees: FlipAngle.
        b_value: DiffusionBValue.
        rows: pixels along a column.
        columns: pixels along a row.
        pixel_spacing_mm: distances between rows and between columns.
        thickness_mm: SliceThickness.
        spacing_mm: SpacingBetweenSlices.
        slices: one for each frame.
        truncated: whether the file is too short for its pixels.
    """

    file: str
    image: str
    series: str
    study: str
    patient: str
    frame_of_reference: str
    study_date: str
    is_date_invalid: bool
    time: str
    modality: str
    number: int | None
    instance: int | None
    description: str
    body_part: str
    image_type: tuple[str, ...]
    agent: str
    sequence: str
    variant: str
    acquisition: str
    tr_ms: float | None
    ti_ms: float | None
    flip_angle_degrees: float | None
    b_value: float | None
    rows: int | None
    columns: int | None
    pixel_spacing_mm: tuple[float, ...] | None
    thickness_mm: float | None
    spacing_mm: float | None
    slices: tuple[SliceGeometry, ...]
    truncated: bool


def read_header(folder: Path, file: str) -> DicomHeader | None:
    """Return the header of a DICOM file; None if the file has none that can be read.

    Args:
        folder: folder of the patient.
        file: path relative to it.
    """
    path = folder / file
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)  # its messages quote values of the header
    try:
        with warnings.catch_warnings(action="ignore"), path.open("rb") as content:
            dataset = pydicom.dcmread(content, force=True, stop_before_pixels=True, specific_tags=list(_ELEMENTS))
            rest_bytes = path.stat().st_size - content.tell()
            return _parse(file, dataset, rest_bytes) if dataset.get("SeriesInstanceUID") else None
    except Exception:  # a corrupted file must not end the run, whatever pydicom raises
        return None


def digest_of(*texts: str) -> str:
    """Return a digest that is equal for equal texts; empty if all are empty."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:_DIGEST_LENGTH] if any(texts) else ""


def _parse(file: str, dataset: Dataset, rest_bytes: int) -> DicomHeader:
    shared = _groups(dataset.get("SharedFunctionalGroupsSequence"))
    frames = [[*_groups([frame]), *shared] for frame in dataset.get("PerFrameFunctionalGroupsSequence") or [[]]]
    sources = [*frames[0], dataset]
    date_text = _text(dataset, "StudyDate")
    study_date = _date(date_text)
    patient = _text(dataset, "PatientID")
    return DicomHeader(
        file=file,
        image=_text(dataset, "SOPInstanceUID"),
        series=_text(dataset, "SeriesInstanceUID"),
        study=digest_of(_text(dataset, "StudyInstanceUID")),
        patient=digest_of(_text(dataset, "IssuerOfPatientID"), patient) if patient else "",
        frame_of_reference=digest_of(_text(dataset, "FrameOfReferenceUID")),
        study_date=study_date,
        is_date_invalid=bool(date_text) and not study_date,
        time=(_text(dataset, "AcquisitionTime") or _text(dataset, "SeriesTime")).partition(".")[0],
        modality=_text(dataset, "Modality").upper(),
        number=_whole(dataset, "SeriesNumber"),
        instance=_whole(dataset, "InstanceNumber"),
        description=" ".join((_text(dataset, "SeriesDescription") or _text(dataset, "ProtocolName")).split()),
        body_part=_text(dataset, "BodyPartExamined").upper(),
        image_type=tuple(part.upper() for part in _texts(dataset, "ImageType")),
        agent=_agent(dataset),
        sequence="/".join(_texts(dataset, "ScanningSequence")),
        variant="/".join(_texts(dataset, "SequenceVariant")),
        acquisition=_text(dataset, "MRAcquisitionType"),
        tr_ms=_first(sources, "RepetitionTime"),
        ti_ms=_first(sources, "InversionTime") or _first(sources, "InversionTimes"),
        flip_angle_degrees=_first(sources, "FlipAngle"),
        b_value=_first(sources, "DiffusionBValue"),
        rows=_whole(dataset, "Rows"),
        columns=_whole(dataset, "Columns"),
        pixel_spacing_mm=_first_numbers(sources, "PixelSpacing", 2),
        thickness_mm=_first(sources, "SliceThickness"),
        spacing_mm=_first(sources, "SpacingBetweenSlices"),
        slices=tuple(_slice([*frame, dataset]) for frame in frames),
        truncated=rest_bytes < _pixel_bytes(dataset),
    )


def _date(text: str) -> str:
    """Return a DICOM date as YYYY-MM-DD; empty if it is no date. Files before DICOM 3 have points: `2024.03.31`."""
    digits = re.sub(r"^(\d{4})\.(\d\d)\.(\d\d)$", r"\1\2\3", text)
    try:
        return date.fromisoformat(digits).isoformat() if re.fullmatch("[0-9]{8}", digits) else ""
    except ValueError:
        return ""


def _groups(items: Any) -> list[Dataset]:
    """Return the contents of the functional groups of an enhanced multi-frame file."""
    return [group for item in items or () for element in item if element.VR == "SQ" for group in element.value[:1]]


def _slice(sources: Sequence[Dataset]) -> SliceGeometry:
    return SliceGeometry(
        _first_numbers(sources, "ImagePositionPatient", 3),
        _first_numbers(sources, "ImageOrientationPatient", 6),
        _first(sources, "EffectiveEchoTime") or _first(sources, "EchoTime"),
    )


def _pixel_bytes(dataset: Dataset) -> int:
    """Return the number of bytes of the pixels; 0 if they are compressed or there are none."""
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    if syntax is not None and (syntax.is_compressed or syntax.is_deflated):
        return 0
    sizes = [_whole(dataset, name) or 0 for name in ("Rows", "Columns", "BitsAllocated")]
    others = [_whole(dataset, name) or 1 for name in ("SamplesPerPixel", "NumberOfFrames")]
    return math.prod(sizes + others) // 8


def _agent(dataset: Dataset) -> str:
    text = " ".join(_text(dataset, "ContrastBolusAgent").split())
    if text.upper() in _NO_AGENT and dataset.get("ContrastBolusAgentSequence"):
        return _text(dataset["ContrastBolusAgentSequence"].value[0], "CodeMeaning") or "contrast agent"
    return "" if text.upper() in _NO_AGENT else text


def _values(dataset: Dataset, name: str) -> Iterator[Any]:
    value = dataset.get(name)
    if value is None or isinstance(value, str):
        return iter(() if value is None else (value,))
    return iter(value if hasattr(value, "__iter__") else (value,))


def _texts(dataset: Dataset, name: str) -> list[str]:
    return [printable(str(value)).strip() for value in _values(dataset, name)]


def _text(dataset: Dataset, name: str) -> str:
    return next(iter(_texts(dataset, name)), "")


def _numbers(dataset: Dataset, name: str) -> tuple[float, ...]:
    try:
        found = tuple(float(value) for value in _values(dataset, name))
    except (TypeError, ValueError):
        return ()
    return found if all(map(math.isfinite, found)) else ()


def _whole(dataset: Dataset, name: str) -> int | None:
    return int(found[0]) if (found := _numbers(dataset, name)) else None


def _first(sources: Sequence[Dataset], name: str) -> float | None:
    return next((found[0] for source in sources if (found := _numbers(source, name))), None)


def _first_numbers(sources: Sequence[Dataset], name: str, count: int) -> tuple[float, ...] | None:
    return next((found for source in sources if len(found := _numbers(source, name)) == count), None)
