"""Find masks in folders by name, match predictions to references by case, and compute a digest of the matched files.

Snakemake imports this module when it plans the jobs, so no function here parses a mask.
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
from tumorseg.io.digests import file_digest_or_none
from tumorseg.io.files import require_regular_file
from tumorseg.io.volume_limits import DEFAULT_MAX_VOXELS, max_file_bytes
from tumorseg.task import Task

_IMAGE: Final = re.compile(r"(?P<stem>[^.].*?)\.nii(?:\.gz)?", re.IGNORECASE | re.DOTALL)
_CASE: Final = re.compile(
    r"(?<![A-Z0-9])(?:BraTS(?:-[A-Z]+)+-\d+-\d+|BraTS1\d_[A-Z0-9]+_[A-Z0-9]+_\d+|BraTS\d{2,4}_(?:[A-Z]+_)?\d+)",
    re.IGNORECASE,
)
"""BraTS case names from 2023 on, of 2017 to 2019 (`BraTS19_CBICA_AAB_1`), and of 2020 and 2021."""
_BARE_MASK_NAMES: Final = ("seg", "pred")
_PROBABILITY_MAP: Final = re.compile(r"[-_]probabilities", re.IGNORECASE)


def is_image(name: str) -> bool:
    """Return whether a name is the name of a NIfTI file."""
    return _IMAGE.fullmatch(name) is not None


def case_of_mask(name: str, folders: Sequence[str], task: Task) -> str | None:
    """Return the case that a mask belongs to; None if the file is not a mask by its name.

    Images of a modality, probability maps and files other than NIfTI are not masks. The case is the first of:

    - the BraTS case name anywhere in the file name (`BraTS-GLI-00005-000_pred.nii.gz`, `BraTS2021_00005_seg.nii`)
    - the BraTS case name in the name of the nearest folder (`BraTS2021_00005/pred.nii.gz`)
    - the name of the folder, for a file named only `seg` or `pred` (`patient 7/seg.nii.gz`)
    - the file name without `.nii.gz` and without a role at its end (`-seg`, `_seg`)

    The same number in the spellings of 2021 and of 2023 means different patients, so they never match.

    Args:
        name: file name.
        folders: names of the folders that contain the file, outermost first.
        task: defines the roles in file names.
    """
    image, role = _IMAGE.fullmatch(name), case_and_role(name, task)
    if image is None or (role and role[1] != MASK) or _PROBABILITY_MAP.search(image["stem"]):
        return None
    matches = (_CASE.search(text) for text in (image["stem"], *reversed(folders)))
    if case_in_name := next(filter(None, matches), None):
        case = case_in_name[0]
        # Some tools change upper case to lower case, so write it as BraTS does.
        return f"BraTS{case[5:].upper()}" if case[5] == "-" else f"BraTS{case[5:]}"
    if folders and image["stem"].casefold() in _BARE_MASK_NAMES:
        return folders[-1]
    return role[0] if role else image["stem"]


def folder_names(folders: Sequence[Path]) -> list[str]:
    """Return a name for each folder. Parent folders come before it (`parent-folder`) if two names are equal.

    Names stay equal if this does not distinguish them, as for a folder that is listed twice.
    """
    parts = [Path(os.path.abspath(folder)).parts[1:] for folder in folders]  # noqa: PTH100 - links keep their names
    depths = [1] * len(parts)
    while True:
        names = ["-".join(folder_parts[-depth:]) for folder_parts, depth in zip(parts, depths, strict=True)]
        counts = Counter(name.casefold() for name in names)
        ambiguous = [
            index
            for index, name in enumerate(names)
            if counts[name.casefold()] > 1 and depths[index] < len(parts[index])
        ]
        if not ambiguous:
            return names
        for index in ambiguous:
            depths[index] += 1


EXPECTED_FOLDER: Final = "a folder of masks with names such as BraTS-GLI-00000-000.nii.gz or BraTS2021_00000_seg.nii.gz"


@dataclass(frozen=True)
class MaskFile:
    """A file that is a mask by its name.

    Attributes:
        case: name of the case as the file name spells it.
        path: path below the searched folder, with `/`.
    """

    case: str
    path: str


def find_masks(folder: Path, task: Task, key: str) -> dict[str, MaskFile]:
    """Return the masks at any depth below a folder, sorted, by case in lower case.

    System files and files that are not masks by their names are ignored (see `case_of_mask`), so a folder of case
    folders works too. Some public mirrors unpack a file into a folder with the name of the file
    (`X-seg.nii/00000057_final_seg.nii`). The name of that folder then counts as the name of the file.

    Args:
        folder: folder to search.
        task: defines the roles in file names.
        key: configuration key of the folder, for messages.

    Raises:
        UserError: a folder cannot be listed, there is no mask, or two masks belong to the same case. Or a mask is a
            FIFO or a device, or has a name that cannot be written to a table.
    """
    masks: dict[str, MaskFile] = {}
    for name, path in _iterate_images(folder, key):
        case = case_of_mask(name, path.split("/")[:-1], task)
        if case is None:
            continue
        if is_awkward_name(path):
            raise UserError(
                f"{key}: rename {path!a} below {folder}: names with braces, control characters or bytes that are not "
                "UTF-8 cannot be written to a table"
            )
        _require_file(folder / path, key)
        other = masks.setdefault(case.casefold(), MaskFile(case, path))
        if other.path != path:
            raise UserError(
                f"{key}: {other.path} and {path} below {folder} are both masks of the case {case}; name each mask "
                "after its case, or use a folder with one mask per case"
            )
    if not masks:
        raise UserError(f"{key}: no mask was found below {folder}; it should be {EXPECTED_FOLDER}")
    return dict(sorted(masks.items()))


def _require_file(path: Path, key: str) -> None:
    """Raise UserError if a mask is not a regular file."""
    try:
        require_regular_file(path)
    except UserError as error:
        raise UserError(f"{key}: {error}") from None
    except OSError:  # such as a broken link: the job reports it
        return


def _iterate_images(
    folder: Path, key: str, below: str = "", name: str | None = None, above: frozenset[Path] = frozenset()
) -> Iterator[tuple[str, str]]:
    """Yield the name that counts and the path of each image at any depth below a folder."""
    try:
        entries = sorted((path.name, path.is_dir()) for path in folder.iterdir() if not is_system_file(path.name))
    except OSError as error:
        raise UserError(f"{key}: cannot list {folder} ({error.strerror}); it should be {EXPECTED_FOLDER}") from None
    real = folder.resolve()
    if real in above:  # a link to a parent folder would repeat forever
        return
    for entry, is_folder in entries:
        effective_name = name or (entry if is_image(entry) else None)
        if is_folder:
            yield from _iterate_images(folder / entry, key, f"{below}{entry}/", effective_name, above | {real})
        elif is_image(entry):
            yield effective_name or entry, f"{below}{entry}"


_MAX_EXAMPLES: Final = 3


@dataclass(frozen=True)
class MaskPair:
    """The two masks of a case.

    Attributes:
        case: name of the case as the reference spells it.
        reference: path below the folder of references.
        prediction: path below the folder of predictions; None if the prediction is missing.
    """

    case: str
    reference: str
    prediction: str | None


@dataclass(frozen=True)
class FolderMatches:
    """The matches of a folder of predictions.

    Attributes:
        folder: folder of the predictions.
        pairs: one pair per reference, sorted by case.
        without_reference: paths of predictions without a reference, below `folder`.
    """

    folder: Path
    pairs: tuple[MaskPair, ...]
    without_reference: tuple[str, ...]


def match_folders(references: Path, predictions: Sequence[Path], task: Task) -> dict[str, FolderMatches]:
    """Return the matches of each folder of predictions, by the name of the folder (see `folder_names`).

    Args:
        references: folder of reference masks.
        predictions: folders of predicted masks.
        task: defines the roles in file names.

    Raises:
        UserError: the masks of a folder are not as `find_masks` requires, no prediction in a folder has a reference,
            or two folders have the same name.
    """
    reference_masks = find_masks(references, task, "score.references")
    matches: dict[str, FolderMatches] = {}
    for name, folder in zip(folder_names(predictions), predictions, strict=True):
        if name in matches:
            raise UserError(
                f"score.predictions: {matches[name].folder} and {folder} are the same folder or have the same name; "
                "list each folder once, or rename one of them"
            )
        predicted_masks = find_masks(folder, task, "score.predictions")
        if not predicted_masks.keys() & reference_masks.keys():
            raise UserError(
                f"score.predictions: no mask below {folder} ({_format_examples(predicted_masks)}) has its reference "
                f"below score.references, {references} ({_format_examples(reference_masks)}); use the name of the case "
                "in both file names, or set other folders"
            )
        pairs = (
            MaskPair(reference.case, reference.path, predicted_masks[case].path if case in predicted_masks else None)
            for case, reference in reference_masks.items()
        )
        unmatched = (mask.path for case, mask in predicted_masks.items() if case not in reference_masks)
        matches[name] = FolderMatches(folder, tuple(pairs), tuple(unmatched))
    return matches


def check_baseline(baseline: str | None, names: Sequence[str]) -> None:
    """Check the value of `score.baseline`.

    Args:
        baseline: the value.
        names: the names of the folders, see `folder_names`.

    Raises:
        UserError: no folder of predictions has this name.
    """
    if baseline is not None and baseline not in names:
        raise UserError(
            f"score.baseline: no folder of predictions has the name {baseline}; the names are {', '.join(names)}"
        )


def _format_examples(masks: Mapping[str, MaskFile]) -> str:
    cases = [mask.case for mask in masks.values()]
    return f"cases {', '.join(cases[:_MAX_EXAMPLES])}{' …' if len(cases) > _MAX_EXAMPLES else ''}"


def masks_digest(matches: Mapping[str, FolderMatches], references: Path, max_voxels: int = DEFAULT_MAX_VOXELS) -> str:
    """Return the XXH3-128 of the names and bytes of all matched masks, and of the names of the other predictions.

    The digest does not depend on where the folders are or when files were written. For a file that cannot be read, only
    its name counts. For a file too large to be a mask, name, size and time of modification count. The job reports
    these files.

    Args:
        matches: result of `match_folders`.
        references: folder of reference masks.
        max_voxels: value of `cohort.max_voxels`, which limits the size of files to read.
    """
    lines, max_bytes = [], max_file_bytes(max_voxels)
    for name, folder_matches in matches.items():
        lines += [name, *folder_matches.without_reference]
        for pair in folder_matches.pairs:
            lines += [pair.reference, _file_digest(references / pair.reference, max_bytes)]
            if pair.prediction is not None:
                lines += [pair.prediction, _file_digest(folder_matches.folder / pair.prediction, max_bytes)]
    return xxh3_128_hexdigest("\n".join(lines).encode())


def _file_digest(path: Path, max_bytes: int) -> str:
    try:
        status = path.stat()
    except OSError:
        return ""
    if status.st_size > max_bytes:
        return f"{status.st_size} bytes of {status.st_mtime_ns}"
    return file_digest_or_none(path) or ""
