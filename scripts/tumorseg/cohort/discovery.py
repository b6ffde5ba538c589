"""Find the cases below one or more data folders, and the files of each case, from names alone.

Runs each time Snakemake plans the workflow, so it only lists folders; the only file it opens is `dataset.json`.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.file_names import archive_content, is_awkward_name, printable
from tumorseg.cohort.folder_contents import unrecognised_files
from tumorseg.cohort.layouts.bids import bids_cases, is_bids_root
from tumorseg.cohort.layouts.case_names import is_visit_name, raise_if_duplicate_names
from tumorseg.cohort.layouts.folders import cases_in_folder, folder_kind, may_hold_images
from tumorseg.cohort.layouts.listing import Listing, abbreviate, files_naming_case, join_path, sample_sheet_hint
from tumorseg.cohort.layouts.nnunet import is_nnunet_root, nnunet_cases
from tumorseg.errors import Message, UserError
from tumorseg.task import Task

LAYOUT_NAMES = (
    "one folder per case, case folders in groups (HGG and LGG, or patients with visits), images and masks in separate "
    "folders, BIDS, nnU-Net or the Decathlon"
)


class NoImagesError(UserError):
    """A folder has no image in any known layout."""


def discover_cases(
    root: Path,
    task: Task,
    key: str = "cohort.root",
    *,
    masks: bool = True,
    note: Callable[[str], object] = lambda _: None,
) -> list[CaseFiles]:
    """Find the cases below a folder, in any known layout.

    Args:
        root: data folder.
        task: task of the cases.
        key: configuration key that names `root`, for messages.
        masks: whether the cases have masks; chooses between `imagesTr` and `imagesTs`.
        note: called with a sentence for each group of files that are not used.

    Returns:
        The cases, sorted by name.

    Raises:
        NoImagesError: `root` has no image.
        UserError: `root` cannot be listed, has no case or mixes layouts; two cases have the same name; or
            `dataset.json` contradicts the task.
    """
    try:
        next(root.iterdir(), None)
    except OSError as error:
        raise UserError(
            f"{key}: cannot list {root} ({error.strerror}); it should be {describe_expected_layout(task)}"
        ) from None
    listing, cases = Listing(root, task), None
    if is_nnunet_root(listing):
        cases = nnunet_cases(listing, key, note, masks=masks)
    elif is_bids_root(listing):
        cases = bids_cases(listing, key)
    if cases is None:
        cases = cases_in_folder(listing, "", key, note)
    if not any(case.files for case in cases):
        raise NoImagesError(f"{key}: no image was found below {root}{_no_image_hint(listing, key)}")
    raise_if_duplicate_names(cases, root, key)
    return sorted(cases, key=lambda case: case.case)


def locate_cohort_folder(root: Path, task: Task, key: str = "cohort.root") -> tuple[Path, str | None]:
    """Find the folder that holds the cases, if the user's folder is one level too high or too low.

    Args:
        root: folder from the configuration.
        task: task of the cases.
        key: configuration key that names `root`, for the note.

    Returns:
        The folder, and a note if it is not `root`: the folder above if `root` is the folder of one case; the only
        folder with cases below `root` if `root` has none itself.
    """
    listing = Listing(root, task)
    folders = listing.folders("")
    if (
        is_nnunet_root(listing)
        or any(folder_kind(listing, name) == "case" for name in folders)
        or is_bids_root(listing)
    ):
        return root, None
    own_cases = {found.case.casefold() for found in files_naming_case(listing.images(""))}
    if len(own_cases) == 1 and not listing.has_4d_files:
        above = root / ".." if root.name in ("", "..") else root.parent
        return above, f"{key}: {root} is the folder of one case; using the folder above it, {above}"
    below = [name for name in folders if not own_cases and _holds_cases(listing, name)]
    is_only_one = len(below) == 1 and not any(may_hold_images(listing, name) for name in folders if name != below[0])
    if is_only_one and not _holds_visits(listing, below[0]):
        inner = root / below[0]
        return inner, f"{key}: the cases are one level below {root}; using {inner}"
    return root, None


def describe_expected_layout(task: Task) -> str:
    """Return a description of a valid data folder, for messages."""
    endings = [ending for ending, role in task.file_endings if role == task.channel_names[0]]
    example = task.case_name.format(patient=0, time_point=task.first_time_point)
    files = " or ".join(dict.fromkeys(f"{example}-{ending}.nii.gz" for ending in endings))
    return f"a folder of cases in a known layout: {LAYOUT_NAMES}" + (f", with file names like {files}" if files else "")


def _holds_cases(listing: Listing, name: str) -> bool:
    """Return whether a folder is a data folder itself, or holds a case or files of cases."""
    inner = Listing(listing.root / name, listing.task)
    return folder_kind(listing, name) is not None or is_nnunet_root(inner) or is_bids_root(inner)


def _holds_visits(listing: Listing, folder: str) -> bool:
    names = [name for name in listing.folders(folder) if folder_kind(listing, f"{folder}/{name}") == "case"]
    return bool(names) and all(map(is_visit_name, names))


def _no_image_hint(listing: Listing, key: str) -> Message:
    """Return the rest of the message about a folder without images: what it holds instead, and what to do."""
    names = listing.entries("")
    archives = sorted(name for name, is_folder in names if not is_folder and archive_content(name) is not None)
    if archives:
        return f"; it holds archives ({abbreviate(archives)}): extract them"
    folders = [CaseFiles(name, {}, name) for name in listing.folders("") if not is_awkward_name(name)]
    unknown = [f"{case.case}/{name}" for case in folders for name in unrecognised_files(listing.root, case)]
    unknown += listing.files("")
    if unknown:
        return (
            f"; found, but not understood: {abbreviate(unknown)}; it should be "
            f"{describe_expected_layout(listing.task)}; rename the files"
            f"{sample_sheet_hint(listing.root, listing.task, key)}"
        )
    if awkward := sorted(name for name in listing.folders("") if is_awkward_name(name)):
        return (
            "; names with braces, control characters or bytes that are not UTF-8 cannot be used: rename "
            f"{abbreviate(map(printable, awkward))}"
        )
    return f"; it should be {describe_expected_layout(listing.task)}"


ROOT_KEY = "cohort.root"


def locate_roots(roots: Sequence[Path], task: Task) -> tuple[Path, list[str], list[str]]:
    """Locate the data folders of a cohort.

    Args:
        roots: one or more folders from the configuration.
        task: task of the cohort.

    Returns:
        The base that all paths of the cohort are relative to, the data folders relative to it, and notes for the user.
        For a single root, the base is the folder that `locate_cohort_folder` returns, and "" the only data folder.
        For several, the base is their deepest common folder.
    """
    if len(roots) == 1:
        folder, note = locate_cohort_folder(roots[0], task)
        return folder, [""], [note] if note else []
    located = [(root, *locate_cohort_folder(root, task)) for root in roots]
    # With several roots, the folder of a single case is used as it is: the folder above may hold other cases.
    pairs = [(root, None) if folder in (root.parent, root / "..") else (folder, note) for root, folder, note in located]
    folders, notes = [folder for folder, _ in pairs], [note for _, note in pairs if note]
    common = os.path.commonpath([os.path.abspath(folder) for folder in folders])  # noqa: PTH100 - keeps links
    below = [os.path.relpath(folder, common) for folder in folders]
    base = Path(common) if any(root.is_absolute() for root in roots) else Path(os.path.relpath(common))
    return base, ["" if part == "." else part for part in below], notes


def discover_roots(
    base: Path, subfolders: Sequence[str], task: Task, note: Callable[[str], object] = lambda _: None
) -> list[CaseFiles]:
    """Find the cases of several data folders as one cohort.

    Args:
        base: folder that all returned paths are relative to.
        subfolders: data folders, relative to `base`.
        task: task of the cohort.
        note: see `discover_cases`.

    Returns:
        The cases, sorted by name.

    Raises:
        UserError: as `discover_cases`; also if one folder is inside another, or if two have the same case.
    """
    if list(subfolders) == [""]:
        return discover_cases(base, task, note=note)
    _raise_if_nested([base / part for part in subfolders])
    found: dict[str, CaseFiles] = {}
    folders: dict[str, Path] = {}
    for subfolder in subfolders:
        folder = base / subfolder
        for case in discover_cases(folder, task, note=note):
            name = case.case.casefold()
            if name in found:
                raise UserError(
                    f"{ROOT_KEY}: the case {case.case} is in {folders[name]} and in {folder}; rename or remove one of "
                    "them, or list all cases with unique names in a sample sheet (cohort.samples)"
                )
            found[name], folders[name] = _relative_to_base(subfolder, case), folder
    return sorted(found.values(), key=lambda case: case.case)


def _relative_to_base(subfolder: str, case: CaseFiles) -> CaseFiles:
    files = {role: tuple(join_path(subfolder, path) for path in paths) for role, paths in case.files.items()}
    return replace(case, files=files, folder=None if case.folder is None else join_path(subfolder, case.folder))


def _raise_if_nested(folders: Sequence[Path]) -> None:
    for index, folder in enumerate(folders):
        for other in folders[:index]:
            one, two = folder.resolve(), other.resolve()
            if one.is_relative_to(two) or two.is_relative_to(one):
                inner, outer = (folder, other) if one.is_relative_to(two) else (other, folder)
                relation = "is the same folder as" if one == two else "is inside"
                raise UserError(
                    f"{ROOT_KEY}: {inner} {relation} {outer}, so its cases would count twice; remove one of the two"
                )
