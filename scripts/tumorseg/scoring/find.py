"""The masks below a folder, by case, from names alone: it runs when the workflow is planned, and opens no file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tumorseg.cohort.naming import is_awkward, is_stray
from tumorseg.errors import UserError
from tumorseg.files import require_regular_file
from tumorseg.scoring.names import case_of_mask, is_image
from tumorseg.task import Task

EXPECTED: Final = "a folder of masks with names such as BraTS-GLI-00000-000.nii.gz or BraTS2021_00000_seg.nii.gz"


@dataclass(frozen=True)
class MaskFile:
    """A mask by its name. case: as the name spells it. path: relative to the folder that was searched, with `/`."""

    case: str
    path: str


def find_masks(folder: Path, task: Task, key: str) -> dict[str, MaskFile]:
    """The masks at any depth below a folder, by their cases in lower case, sorted.

    Strays and what is no mask by its name are passed over (see `case_of_mask`), so that a folder of case folders does
    too. A folder that is named like a file (`X-seg.nii/00000057_final_seg.nii`, as public mirrors unpack them) gives
    its name to the files inside it. key: of the configuration, for messages. Raises UserError where a folder cannot be
    listed, where there is no mask, where one is no regular file (a FIFO, a device), where two are of one case, and
    where a name cannot be written into a table.
    """
    masks: dict[str, MaskFile] = {}
    for name, path in _images(folder, key):
        case = case_of_mask(name, path.split("/")[:-1], task)
        if case is None:
            continue
        if is_awkward(path):
            raise UserError(
                f"{key}: rename {path!a} below {folder}: names with braces, control characters or bytes that are no "
                "UTF-8 cannot stand in a table"
            )
        _require_file(folder / path, key)
        other = masks.setdefault(case.casefold(), MaskFile(case, path))
        if other.path != path:
            raise UserError(
                f"{key}: {other.path} and {path} below {folder} are both of the case {case}; name each after "
                "its case, or give a folder that has one mask for each case"
            )
    if not masks:
        raise UserError(f"{key}: no mask was found below {folder}; it should be {EXPECTED}")
    return dict(sorted(masks.items()))


def _require_file(path: Path, key: str) -> None:
    """What cannot be looked at, such as a link that leads nowhere, is left to the job."""
    try:
        require_regular_file(path)
    except UserError as error:
        raise UserError(f"{key}: {error}") from None
    except OSError:
        return


def _images(
    folder: Path, key: str, below: str = "", name: str | None = None, above: frozenset[Path] = frozenset()
) -> Iterator[tuple[str, str]]:
    """Name that counts, and path, of each image at any depth; `above`: real paths of the folders that lead here."""
    try:
        entries = sorted((path.name, path.is_dir()) for path in folder.iterdir() if not is_stray(path.name))
    except OSError as error:
        raise UserError(f"{key}: cannot list {folder} ({error.strerror}); it should be {EXPECTED}") from None
    real = folder.resolve()
    if real in above:  # a link that leads in a circle
        return
    for own, is_folder in entries:
        counts = name or (own if is_image(own) else None)
        if is_folder:
            yield from _images(folder / own, key, f"{below}{own}/", counts, above | {real})
        elif is_image(own):
            yield counts or own, f"{below}{own}"
