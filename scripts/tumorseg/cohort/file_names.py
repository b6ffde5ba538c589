"""Parse file names: which case a file belongs to, and its role. Opens no file."""

import re
from functools import cache
from typing import Final

from tumorseg.task import Task

MASK: Final = "seg"
"""The role of the mask."""

_NIFTI_SUFFIXES: Final = (".nii.gz", ".nii")
_BRATS_CASE_NAME: Final = re.compile(r"BraTS-[A-Za-z]+-\d+-\d+|BraTS\d{2,4}_(?:\w+_)?\d+", re.IGNORECASE)
_ARCHIVE_NAME: Final = re.compile(r"(?P<content>[^.].*)\.(?:zip|7z|rar|tar|tgz|tar\.(?:gz|bz2|xz))", re.IGNORECASE)
_IMAGE_NAME: Final = re.compile(r"\.(?:nii|nii\.gz|hdr|img|mha|mhd|nrrd|nhdr|mgh|mgz|mnc|dcm|ima)$", re.IGNORECASE)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_AWKWARD: Final = re.compile(r"[{}\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def roles(task: Task) -> tuple[str, ...]:
    """Return the roles that a file can have: the channels in the order of the task, then the mask."""
    return (*task.channel_names, MASK)


def case_and_role(name: str, task: Task) -> tuple[str, str] | None:
    """Parse the name of a file by the endings of the task.

    With the default task, `BraTS-GLI-00005-000-t1n.nii.gz` gives ("BraTS-GLI-00005-000", "t1"), and
    `BraTS2021_00006_t1ce.nii` gives ("BraTS2021_00006", "t1ce"). An ending follows `-` or `_`, in any letter case. The
    longest ending wins: `_ce-gd_T1w` before `_T1w`.

    Args:
        name: name of a file.
        task: its `file_endings` are known.

    Returns:
        Case and role; None if the ending is unknown or the name begins with a dot.
    """
    stem = nifti_stem(name)
    if stem is None:
        return None
    single, compound = _split_endings(task.file_endings)
    for ending, role in compound:
        if stem[-len(ending) :].lower() == ending and len(stem) > len(ending):
            return stem[: -len(ending)], role
    separator = max(stem.rfind("-"), stem.rfind("_"))
    found = single.get(stem[separator + 1 :].lower()) if separator > 0 else None
    return (stem[:separator], found) if found else None


def nifti_stem(name: str) -> str | None:
    """Return the name of a NIfTI file without `.nii` or `.nii.gz`; None for other files and hidden files."""
    lower = name.lower()
    ending = next((ending for ending in _NIFTI_SUFFIXES if lower.endswith(ending)), None)
    return name[: -len(ending)] if ending and not name.startswith(".") else None


@cache
def _split_endings(pairs: tuple[tuple[str, str], ...]) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Return the role of each ending; separately, of each ending that contains `-` or `_`, longest first."""
    compound = sorted((pair for pair in pairs if set(pair[0]) & set("-_")), key=lambda pair: -len(pair[0]))
    return dict(pairs), tuple((f"{sign}{ending}", role) for ending, role in compound for sign in "-_")


def archive_content(name: str) -> str | None:
    """Return the name of an archive without its extension (`X` for `X.zip`, `X.tar.gz`); None for other files."""
    match = _ARCHIVE_NAME.fullmatch(name)
    return match["content"] if match else None


def is_brats_case_name(name: str) -> bool:
    """Return whether this is the name of a case of BraTS 2021 or 2023."""
    return _BRATS_CASE_NAME.fullmatch(name) is not None


def may_be_image(name: str) -> bool:
    """Return whether the name has the extension of any image format."""
    return _IMAGE_NAME.search(name) is not None


def is_awkward_name(name: str) -> bool:
    """Return whether a name is unusable: it has braces, control characters or bytes that are not UTF-8."""
    return _AWKWARD.search(name) is not None


def printable(name: str) -> str:
    """Return a name with control characters and bytes that are not UTF-8 escaped in Python's notation."""
    return _UNPRINTABLE.sub(lambda found: _escape(found[0]), name)


def _escape(character: str) -> str:
    # Python decodes an invalid byte of a file name to one of these (PEP 383).
    code = ord(character) - 0xDC00 if "\udc80" <= character <= "\udcff" else ord(character)
    return f"\\x{code:02x}"


def is_system_file(name: str) -> bool:
    """Return whether the operating system wrote a file or folder: `._x`, `.DS_Store`, `__MACOSX`."""
    return name.startswith(".") or name == "__MACOSX"
