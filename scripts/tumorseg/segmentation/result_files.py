"""Names of the files of new patients, in the folder of a job and in the folder of all patients."""

from typing import Final
from urllib.parse import quote

PAGE_FILE: Final = "segmentations.html"
"""The page of all patients."""
NIIVUE_FILE: Final = "viewer/niivue.js"
"""The library of the viewer."""
ATLAS_FOLDER: Final = "atlas"
"""Folder of the masks on the grid of the atlas."""


def mask_file(case: str) -> str:
    """Return the name of the mask of a case."""
    return f"{case}.nii.gz"


def atlas_mask_file(case: str) -> str:
    """Return the name of the mask of a prepared case on the grid of the atlas."""
    return f"{ATLAS_FOLDER}/{mask_file(case)}"


def dicom_file(case: str) -> str:
    """Return the name of the DICOM segmentation of a case whose images are DICOM."""
    return f"{case}.dcm"


def probabilities_file(case: str) -> str:
    """Return the name of the probabilities of a case."""
    return f"{case}-probabilities.nii.gz"


def picture_file(case: str) -> str:
    """Return the name of the picture of a case."""
    return f"{case}.png"


def viewer_file(case: str) -> str:
    """Return the name of the file with the volumes of a case for the viewer."""
    return f"viewer/{_distinct(case, 'niivue')}.js"


def files_of_job(case: str, *, probabilities: bool) -> list[str]:
    """Return the names of the files that a job writes for a segmented case. probabilities: whether they are written."""
    extra = [probabilities_file(case)] if probabilities else []
    return [mask_file(case), picture_file(case), viewer_file(case), *extra]


def page_file(case: str) -> str:
    """Return the name of the page of a case."""
    return f"{_distinct(case, 'segmentations')}.html"


def file_address(name: str) -> str:
    """Return the address of a file for links of a page in the same folder."""
    return quote(name)


def _distinct(case: str, taken: str) -> str:
    """Return the name of a case; with another `_` if a file would have the name `taken`, in any case of its letters."""
    return f"{case}_" if case.rstrip("_").lower() == taken else case
