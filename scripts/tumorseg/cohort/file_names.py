"""Parse file names: the case a file belongs to and its role. Opens no file."""

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
    """The roles that a file can have: the channels of the task in their order, then the mask."""
    return (*task.channel_names, MASK)


def case_and_role(name: str, task: Task) -> tuple[str, str] | None:
    """Case and role of a file, by the end of its name; None where the task knows no such end.

    With the default task `BraTS-GLI-00005-000-t1n.nii.gz` is ("BraTS-GLI-00005-000", "t1"), `BraTS2021_00006_t1ce.nii`
    is ("BraTS2021_00006", "t1ce"). The end stands after `-` or `_`; its letter case does not matter, and the longest
    one counts (`_ce-gd_T1w` before `_T1w`). Names that begin with a dot are strays.
    """
    stem = nifti_stem(name)
    if stem is None:
        return None
    single, compound = _split_endings(task.file_endings)
    for ending, role in compound:
        if stem[-len(ending) :].lower() == ending and len(stem) > len(ending):
            return stem[: -len(ending)], role
    place = max(stem.rfind("-"), stem.rfind("_"))
    found = single.get(stem[place + 1 :].lower()) if place > 0 else None
    return (stem[:place], found) if found else None


def nifti_stem(name: str) -> str | None:
    """The name of a NIfTI file without `.nii` or `.nii.gz`; None for a stray and for all else."""
    lower = name.lower()
    ending = next((ending for ending in _NIFTI_SUFFIXES if lower.endswith(ending)), None)
    return name[: -len(ending)] if ending and not name.startswith(".") else None


@cache
def _split_endings(pairs: tuple[tuple[str, str], ...]) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """The role of each end of a name: those without `-` and `_` in them; the others, the longest first, with both."""
    compound = sorted((pair for pair in pairs if set(pair[0]) & set("-_")), key=lambda pair: -len(pair[0]))
    return dict(pairs), tuple((f"{sign}{ending}", role) for ending, role in compound for sign in "-_")


def archive_content(name: str) -> str | None:
    """What a packed archive holds, by its name (`X` for `X.zip`, `X.tar.gz`); None where it is named like none."""
    match = _ARCHIVE_NAME.fullmatch(name)
    return match["content"] if match else None


def is_brats_case_name(name: str) -> bool:
    """Whether a case of BraTS 2023 or 2021 is called so."""
    return _BRATS_CASE_NAME.fullmatch(name) is not None


def may_be_image(name: str) -> bool:
    """Whether a file is called like an image of any format."""
    return _IMAGE_NAME.search(name) is not None


def is_awkward_name(name: str) -> bool:
    """Whether a name cannot stand in tables and plans: it has braces, control characters or bytes that are no UTF-8."""
    return _AWKWARD.search(name) is not None


def printable(name: str) -> str:
    """A name as it can stand in tables: control characters and bytes that are no UTF-8 in Python's notation."""
    return _UNPRINTABLE.sub(lambda found: _escape(found[0]), name)


def _escape(character: str) -> str:
    # Python reads a byte that is no UTF-8 as one of these (PEP 383).
    code = ord(character) - 0xDC00 if "\udc80" <= character <= "\udcff" else ord(character)
    return f"\\x{code:02x}"


def is_system_file(name: str) -> bool:
    """Whether a file or folder is none of the user's: `._x`, `.DS_Store`, `__MACOSX`."""
    return name.startswith(".") or name == "__MACOSX"
