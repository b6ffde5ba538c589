"""Find DICOM files by their names and first bytes. Planning imports this module, so it does not import pydicom."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tumorseg.cohort.file_names import archive_content, is_system_file, may_be_image

_DICOM_ENDINGS: Final = (".dcm", ".ima", ".dicom")
_OTHER_ENDINGS: Final = (
    *(".json", ".txt", ".tsv", ".csv", ".xml", ".html", ".htm", ".pdf", ".log", ".md", ".yaml", ".yml", ".ini", ".inf"),
    *(".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".bval", ".bvec", ".mat", ".py", ".exe"),
    *(".dll", ".jar", ".doc", ".docx", ".xls", ".xlsx", ".css", ".js", ".db"),
)
_MAGIC_OFFSET: Final = 128
_STUDY_UID: Final = b"\x20\x00\x0d\x00"
"""The tag of StudyInstanceUID, little-endian."""
_SERIES_UID: Final = b"\x20\x00\x0e\x00"
_PATIENT_ID: Final = b"\x10\x00\x20\x00"
_MAX_VALUE_BYTES: Final = 64
_PEEK_BYTES: Final = 2**14
START_BYTES: Final = 132
"""Number of bytes of a file that `looks_like_dicom` needs."""


def has_dicom_ending(name: str) -> bool:
    """Return whether a file name ends like that of a DICOM file, such as `.dcm`."""
    return name.lower().endswith(_DICOM_ENDINGS)


def may_be_dicom(name: str) -> bool:
    """Return whether a file may be an image in DICOM, by its name. Names without an ending are common."""
    if is_system_file(name) or name.upper() == "DICOMDIR" or archive_content(name) is not None:
        return False
    return has_dicom_ending(name) or not (may_be_image(name) or name.lower().endswith(_OTHER_ENDINGS))


def looks_like_dicom(start: bytes) -> bool:
    """Return whether a file is DICOM, by its first `START_BYTES` bytes.

    Old files have no preamble and no magic: they begin with an element of group 2 or 8.
    """
    if start[_MAGIC_OFFSET:START_BYTES] == b"DICM":
        return True
    group_and_element, kind = start[:4], start[4:6]
    if group_and_element[:2] not in (b"\x08\x00", b"\x02\x00", b"\x00\x08") or len(start) < 8:
        return False
    is_explicit = kind.isalpha() and kind.isupper()
    return is_explicit or int.from_bytes(start[4:8], "little") < 2**10


def is_dicom_file(path: Path) -> bool:
    """Return whether a file is DICOM, by its first bytes; False if it cannot be read."""
    try:
        with path.open("rb") as file:
            return looks_like_dicom(file.read(START_BYTES))
    except OSError:
        return False


def peek_study(path: Path) -> str | None:
    """Return the StudyInstanceUID of a DICOM file from its first bytes; None if it is not found there."""
    return _peek(path, _STUDY_UID)


def peek_series(path: Path) -> str | None:
    """Return the SeriesInstanceUID of a DICOM file from its first bytes; None if it is not found there."""
    return _peek(path, _SERIES_UID)


def peek_patient(path: Path) -> str | None:
    """Return the PatientID of a DICOM file from its first bytes, to compare it; None if it is not found there."""
    return _peek(path, _PATIENT_ID)


def _peek(path: Path, tag: bytes) -> str | None:
    """Return the value of a short text element. Only little-endian files are understood, as nearly all are."""
    try:
        with path.open("rb") as file:
            start = file.read(_PEEK_BYTES)
    except OSError:
        return None
    position = start.find(tag)
    if position < 0:
        return None
    value = position + len(tag) + 4
    kind, length = start[value - 4 : value - 2], int.from_bytes(start[value - 4 : value], "little")
    if kind in (b"UI", b"LO"):
        length = int.from_bytes(start[value - 2 : value], "little")
    return (
        start[value : value + length].rstrip(b"\0 ").decode("latin-1") or None if length <= _MAX_VALUE_BYTES else None
    )


def files_below(folder: Path) -> Iterator[str]:
    """Yield the path of each file below a folder, relative to it and sorted. Links are followed, each folder once."""
    seen: set[str] = set()
    for current, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(current)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not is_system_file(name))
        for name in sorted(names):
            path = os.path.relpath(os.path.join(current, name), folder)  # noqa: PTH118 - keeps bytes that are not UTF-8
            yield path
