"""What names say of masks from any tool: the case of a file, and how folders of masks are told apart."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tumorseg.cohort.naming import MASK, role_of
from tumorseg.task import Task

_IMAGE: Final = re.compile(r"(?P<stem>[^.].*?)\.nii(?:\.gz)?", re.IGNORECASE | re.DOTALL)
_CASE: Final = re.compile(
    r"(?<![A-Z0-9])(?:BraTS(?:-[A-Z]+)+-\d+-\d+|BraTS1\d_[A-Z0-9]+_[A-Z0-9]+_\d+|BraTS\d{2,4}_(?:[A-Z]+_)?\d+)",
    re.IGNORECASE,
)
"""Cases of BraTS from 2023 on, of 2017 to 2019 (`BraTS19_CBICA_AAB_1`), and of 2020 and 2021."""
_ROLES_ALONE: Final = ("seg", "pred")
_NO_MASK: Final = re.compile(r"[-_]probabilities", re.IGNORECASE)


def is_image(name: str) -> bool:
    """Whether something is called like a NIfTI file."""
    return _IMAGE.fullmatch(name) is not None


def case_of_mask(name: str, folders: Sequence[str], task: Task) -> str | None:
    """The case of a file in `folders`, outermost first; None where it is no mask by its name.

    That is: another modality, probabilities, no NIfTI file.

    It is the case of BraTS that the name has in it, wherever that stands (`BraTS-GLI-00005-000_pred.nii.gz`,
    `BraTS2021_00005_seg.nii`), else that in the name of the nearest folder (`BraTS2021_00005/pred.nii.gz`), else, of a
    file that is called `seg` or `pred` and no more, the name of its folder (`patient 7/seg.nii.gz`), else the name
    without `.nii.gz` and a role at its end (`-seg`, `_seg`). The spellings of 2023 and of 2021 are never taken for each
    other: equal numbers in them are different patients.
    """
    image, role = _IMAGE.fullmatch(name), role_of(name, task)
    if image is None or (role and role[1] != MASK) or _NO_MASK.search(image["stem"]):
        return None
    found = (_CASE.search(text) for text in (image["stem"], *reversed(folders)))
    if case_in_name := next(filter(None, found), None):
        case = case_in_name[0]
        # Upper case, as BraTS writes it: tools change the case of letters.
        return f"BraTS{case[5:].upper()}" if case[5] == "-" else f"BraTS{case[5:]}"
    if folders and image["stem"].casefold() in _ROLES_ALONE:
        return folders[-1]
    return role[0] if role else image["stem"]


def folder_names(folders: Sequence[Path]) -> list[str]:
    """A name for each folder: its own, with those of the folders above before it (`above-own`) where two are alike.

    Folders that cannot be told apart so, such as one that is there twice, keep names that are alike.
    """
    parts = [Path(os.path.abspath(folder)).parts[1:] for folder in folders]  # noqa: PTH100 - links keep their names
    depths = [1] * len(parts)
    while True:
        names = ["-".join(own[-depth:]) for own, depth in zip(parts, depths, strict=True)]
        counts = Counter(name.casefold() for name in names)
        alike = [
            index
            for index, name in enumerate(names)
            if counts[name.casefold()] > 1 and depths[index] < len(parts[index])
        ]
        if not alike:
            return names
        for index in alike:
            depths[index] += 1
