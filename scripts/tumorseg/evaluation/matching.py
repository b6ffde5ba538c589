"""Find the masks in folders by their names, match predictions to references by case, and digest the matched files.

Planning imports this module: no mask is parsed here.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xxhash import xxh3_128_hexdigest

from tumorseg.cohort.file_names import MASK, case_and_role, is_awkward_name, is_system_file
from tumorseg.errors import UserError
from tumorseg.io.changed_files import file_digest
from tumorseg.io.files import require_regular_file
from tumorseg.io.volume_limits import DEFAULT_MAX_VOXELS, max_file_bytes
from tumorseg.task import Task

_IMAGE: Final = re.compile(r"(?P<stem>[^.].*?)\.nii(?:\.gz)?", re.IGNORECASE | re.DOTALL)
_CASE: Final = re.compile(
    r"(?<![A-Z0-9])(?:BraTS(?:-[A-Z]+)+-\d+-\d+|BraTS1\d_[A-Z0-9]+_[A-Z0-9]+_\d+|BraTS\d{2,4}_(?:[A-Z]+_)?\d+)",
    re.IGNORECASE,
)
"""Cases of BraTS from 2023 on, of 2017 to 2019 (`BraTS19_CBICA_AAB_1`), and of 2020 and 2021."""
_BARE_MASK_NAMES: Final = ("seg", "pred")
_PROBABILITY_MAP: Final = re.compile(r"[-_]probabilities", re.IGNORECASE)


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
    image, role = _IMAGE.fullmatch(name), case_and_role(name, task)
    if image is None or (role and role[1] != MASK) or _PROBABILITY_MAP.search(image["stem"]):
        return None
    found = (_CASE.search(text) for text in (image["stem"], *reversed(folders)))
    if case_in_name := next(filter(None, found), None):
        case = case_in_name[0]
        # Upper case, as BraTS writes it: tools change the case of letters.
        return f"BraTS{case[5:].upper()}" if case[5] == "-" else f"BraTS{case[5:]}"
    if folders and image["stem"].casefold() in _BARE_MASK_NAMES:
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


EXPECTED_FOLDER: Final = "a folder of masks with names such as BraTS-GLI-00000-000.nii.gz or BraTS2021_00000_seg.nii.gz"


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
    for name, path in _iterate_images(folder, key):
        case = case_of_mask(name, path.split("/")[:-1], task)
        if case is None:
            continue
        if is_awkward_name(path):
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
        raise UserError(f"{key}: no mask was found below {folder}; it should be {EXPECTED_FOLDER}")
    return dict(sorted(masks.items()))


def _require_file(path: Path, key: str) -> None:
    """What cannot be looked at, such as a link that leads nowhere, is left to the job."""
    try:
        require_regular_file(path)
    except UserError as error:
        raise UserError(f"{key}: {error}") from None
    except OSError:
        return


def _iterate_images(
    folder: Path, key: str, below: str = "", name: str | None = None, above: frozenset[Path] = frozenset()
) -> Iterator[tuple[str, str]]:
    """Name that counts, and path, of each image at any depth; `above`: real paths of the folders that lead here."""
    try:
        entries = sorted((path.name, path.is_dir()) for path in folder.iterdir() if not is_system_file(path.name))
    except OSError as error:
        raise UserError(f"{key}: cannot list {folder} ({error.strerror}); it should be {EXPECTED_FOLDER}") from None
    real = folder.resolve()
    if real in above:  # a link that leads in a circle
        return
    for own, is_folder in entries:
        counts = name or (own if is_image(own) else None)
        if is_folder:
            yield from _iterate_images(folder / own, key, f"{below}{own}/", counts, above | {real})
        elif is_image(own):
            yield counts or own, f"{below}{own}"


_MAX_EXAMPLES: Final = 3


@dataclass(frozen=True)
class MaskPair:
    """A case as its reference spells it, and the path of each mask below its folder, None for a missing prediction."""

    case: str
    reference: str
    prediction: str | None


@dataclass(frozen=True)
class FolderMatches:
    """A folder of predictions: a pair for every reference, sorted; the paths of predictions that have no reference."""

    folder: Path
    pairs: tuple[MaskPair, ...]
    without_reference: tuple[str, ...]


def match_folders(predictions: Sequence[Path], references: Path, task: Task) -> dict[str, FolderMatches]:
    """The matches of each folder of predictions, by its name (see `folder_names`), in the order given.

    Raises UserError where a folder or its masks are not as they should be, see `find_masks`, where nothing in a folder
    matches, and where two folders have one name.
    """
    wanted = find_masks(references, task, "score.references")
    matches: dict[str, FolderMatches] = {}
    for name, folder in zip(folder_names(predictions), predictions, strict=True):
        if name in matches:
            raise UserError(
                f"score.predictions: {matches[name].folder} and {folder} are one folder, or cannot be told apart by "
                "name; give each once, or rename one of them"
            )
        found = find_masks(folder, task, "score.predictions")
        if not found.keys() & wanted.keys():
            raise UserError(
                f"score.predictions: no mask below {folder} ({_format_examples(found)}) has its reference below "
                f"score.references, {references} ({_format_examples(wanted)}); name the masks of a case alike, or give other "
                "folders"
            )
        pairs = (
            MaskPair(reference.case, reference.path, found[case].path if case in found else None)
            for case, reference in wanted.items()
        )
        rest = (mask.path for case, mask in found.items() if case not in wanted)
        matches[name] = FolderMatches(folder, tuple(pairs), tuple(rest))
    return matches


def _format_examples(masks: Mapping[str, MaskFile]) -> str:
    cases = [mask.case for mask in masks.values()]
    return f"cases {', '.join(cases[:_MAX_EXAMPLES])}{' …' if len(cases) > _MAX_EXAMPLES else ''}"


def masks_digest(matches: Mapping[str, FolderMatches], references: Path, max_voxels: int = DEFAULT_MAX_VOXELS) -> str:
    """XXH3-128 of the names and bytes of all masks that are compared, and of the names of the others.

    references: the folder that the matches were made with. largest_voxels: as `cohort.max_voxels` says. A file that
    cannot be read counts by its name, and one that is too large to be a mask by its name, its size and its time: the
    job tells what is wrong with it. The digest does not depend on where the folders lie, or when the other files were
    written.
    """
    lines, largest = [], max_file_bytes(max_voxels)
    for name, of_folder in matches.items():
        lines += [name, *of_folder.without_reference]
        for pair in of_folder.pairs:
            lines += [pair.reference, _file_digest(references / pair.reference, largest)]
            if pair.prediction is not None:
                lines += [pair.prediction, _file_digest(of_folder.folder / pair.prediction, largest)]
    return xxh3_128_hexdigest("\n".join(lines).encode())


def _file_digest(path: Path, max_bytes: int) -> str:
    try:
        status = path.stat()
    except OSError:
        return ""
    if status.st_size > max_bytes:
        return f"{status.st_size} bytes of {status.st_mtime_ns}"
    return file_digest(path) or ""
