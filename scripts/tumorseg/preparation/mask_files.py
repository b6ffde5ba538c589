"""Find the mask of a case among files whose names no layout defines."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from tumorseg.cohort.file_names import MASK, case_and_role, nifti_stem
from tumorseg.cohort.layouts.listing import is_mask_folder_name, join_path, list_entries
from tumorseg.preparation.dicom_files import files_below
from tumorseg.preparation.patient_source import PatientSource
from tumorseg.preparation.shared_words import SplitName, split_names
from tumorseg.task import Task

_NO_TUMOUR: Final = re.compile(
    r"^(?!.*tumou?r).*(?<![a-z])(brain|bet|skull|head|tissues?|atlas|ventric\w*|[wg]m|csf)(?![a-z])", re.IGNORECASE
)
"""Words in the names of masks of something else than a tumour."""


def mask_files(root: Path, source: PatientSource, task: Task) -> tuple[str, ...]:
    """Return the NIfTI files of a source that may be the mask of its tumour.

    Files with an ending of the task come before files that are only named like a mask, or lie in a folder for masks. If
    several are equally good, all are returned. Beside DICOM files, masks may also lie in a folder above.

    Args:
        root: data folder, which the paths of `source` are relative to.
        source: the files of the case, without a sample sheet.
        task: defines the endings of masks.

    Returns:
        Paths relative to `root`; empty if there is no such file.
    """
    files = [join_path(source.folder, name) for name in source.files if nifti_stem(name) is not None]
    if source.kind == "dicom":
        below = [join_path(source.folder, name) for name in files_below(root / source.folder)]
        files = _images(below) + _images_above(root, source.folder)
    named = [path for path in files if (found := case_and_role(_name(path), task)) and found[1] == MASK]
    names = split_names([str(nifti_stem(_name(path))) for path in files], source.case)
    return tuple(named or [path for path, name in zip(files, names, strict=True) if _may_be_mask(path, name)])


def without_masks(root: Path, source: PatientSource, masks: Sequence[str]) -> PatientSource:
    """Return a source whose images do not depend on the masks beside them.

    Args:
        root: data folder, which the paths of `source` and `masks` are relative to.
        source: the files of a case.
        masks: files that may be its mask.

    Returns:
        The source; of several NIfTI files without the masks, unless there is nothing else. NIfTI files beside DICOM
        only count if they are no masks.
    """
    if source.kind == "nifti":
        files = tuple(name for name in source.files if join_path(source.folder, name) not in masks)
        return replace(source, files=files or source.files, listing="")
    if source.other_images:
        below = _images(list(files_below(root / source.folder)))
        return replace(source, other_images=any(join_path(source.folder, name) not in masks for name in below))
    return source


def _images(paths: Sequence[str]) -> list[str]:
    return [path for path in paths if nifti_stem(_name(path)) is not None]


def _images_above(root: Path, folder: str) -> list[str]:
    """Return the NIfTI files directly in the folders above a folder, below `root`."""
    found = []
    while folder := os.path.dirname(folder):  # noqa: PTH120 - a path relative to the root
        found += _images([join_path(folder, name) for name, is_folder in list_entries(root / folder) if not is_folder])
    return found


def _may_be_mask(path: str, name: SplitName) -> bool:
    folder = os.path.dirname(path)  # noqa: PTH120
    is_mask = name.is_mask or is_mask_folder_name(_name(folder))
    return is_mask and not _NO_TUMOUR.search(_name(path))


def _name(path: str) -> str:
    return path.rpartition("/")[2]
