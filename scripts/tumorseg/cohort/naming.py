"""What the name of a file says: the case it belongs to, and its role in it. Needs no file and no array."""

import re
from typing import Final

ROLES: Final = ("t1", "t1ce", "t2", "flair", "seg")
"""The modalities in the order of `labels.MODALITIES`, then the mask."""
SUFFIXES: Final = {
    "t1": ("t1n", "t1"),
    "t1ce": ("t1c", "t1ce"),
    "t2": ("t2w", "t2"),
    "flair": ("t2f", "flair"),
    "seg": ("seg",),
}
"""How BraTS 2023, then BraTS 2021, ends the name of each role's file."""

_ROLE_OF_SUFFIX: Final = {suffix: role for role, suffixes in SUFFIXES.items() for suffix in suffixes}
_FILE: Final = re.compile(rf"(?P<case>[^.].*)[-_](?P<suffix>{'|'.join(_ROLE_OF_SUFFIX)})\.nii(?:\.gz)?", re.IGNORECASE)
_CASE: Final = re.compile(r"BraTS-[A-Za-z]+-\d+-\d+|BraTS\d{2,4}_(?:\w+_)?\d+", re.IGNORECASE)
_ARCHIVE: Final = re.compile(r"(?P<content>[^.].*)\.(?:zip|7z|rar|tar|tgz|tar\.(?:gz|bz2|xz))", re.IGNORECASE)
_IMAGE: Final = re.compile(r"\.(?:nii|nii\.gz|hdr|img|mha|mhd|nrrd|nhdr|mgh|mgz|mnc|dcm|ima)$", re.IGNORECASE)
_UNSHOWN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_AWKWARD: Final = re.compile(r"[{}\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def role_of(name: str) -> tuple[str, str] | None:
    """Case and role of a file, by its name; None where it is not named like a file of a case.

    `BraTS-GLI-00005-000-t1n.nii.gz` is ("BraTS-GLI-00005-000", "t1"), `BraTS2021_00006_t1ce.nii` is
    ("BraTS2021_00006", "t1ce"). The letter case of the suffix does not matter; names that begin with a dot are strays.
    """
    match = _FILE.fullmatch(name)
    return (match["case"], _ROLE_OF_SUFFIX[match["suffix"].lower()]) if match else None


def archive_of(name: str) -> str | None:
    """What a packed archive holds, by its name (`X` for `X.zip`, `X.tar.gz`); None where it is named like none."""
    match = _ARCHIVE.fullmatch(name)
    return match["content"] if match else None


def names_case(name: str) -> bool:
    """Whether a case of BraTS 2023 or 2021 is called so."""
    return _CASE.fullmatch(name) is not None


def may_be_image(name: str) -> bool:
    """Whether a file is called like an image of any format."""
    return _IMAGE.search(name) is not None


def is_awkward(name: str) -> bool:
    """Whether a name cannot stand in tables and plans: it has braces, control characters or bytes that are no UTF-8."""
    return _AWKWARD.search(name) is not None


def shown(name: str) -> str:
    """A name as it can stand in tables: control characters and bytes that are no UTF-8 in Python's notation."""
    return _UNSHOWN.sub(lambda found: _escape(found[0]), name)


def _escape(character: str) -> str:
    # Python reads a byte that is no UTF-8 as one of these (PEP 383).
    code = ord(character) - 0xDC00 if "\udc80" <= character <= "\udcff" else ord(character)
    return f"\\x{code:02x}"


def is_stray(name: str) -> bool:
    """Whether a file or folder is none of the user's: `._x`, `.DS_Store`, `__MACOSX`."""
    return name.startswith(".") or name == "__MACOSX"
