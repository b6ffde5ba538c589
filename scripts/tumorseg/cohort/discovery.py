"""Find the cases below one or more data folders, and the files of each, by name alone.

Runs whenever the workflow is planned. It lists folders and opens no file but `dataset.json`.
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
    "one folder per case, groups of them (HGG, LGG; patients with visits), images and masks in folders of their own, "
    "BIDS, nnU-Net or the Decathlon"
)


def discover_cases(
    root: Path,
    task: Task,
    key: str = "cohort.root",
    *,
    masks: bool = True,
    note: Callable[[str], object] = lambda _: None,
) -> list[CaseFiles]:
    """The cases below `root`, sorted by name, in whichever layout they lie.

    masks: whether cases with masks are meant, which decides between `imagesTr` and `imagesTs`. note: called with each
    sentence about what lies there and is not used. key: that of the configuration which names `root`. Raises UserError
    where `root` has no case, where layouts are mixed, where two cases have one name, and where a `dataset.json` speaks
    against the task.
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
        raise UserError(f"{key}: no image was found below {root}{_no_image_hint(listing, key)}")
    raise_if_duplicate_names(cases, root, key)
    return sorted(cases, key=lambda case: case.case)


def locate_cohort_folder(root: Path, task: Task, key: str = "cohort.root") -> tuple[Path, str | None]:
    """The folder that is meant by `root`, and a sentence about it where that is not `root` itself.

    Where `root` is the folder of one case, it is the folder above; where the cases are all in one folder below `root`,
    it is that.
    """
    listing = Listing(root, task)
    folders = listing.folders("")
    if (
        is_nnunet_root(listing)
        or any(folder_kind(listing, name) == "case" for name in folders)
        or is_bids_root(listing)
    ):
        return root, None
    own = {found.case.casefold() for found in files_naming_case(listing.images(""))}
    if len(own) == 1 and not listing.volumes:
        above = root / ".." if root.name in ("", "..") else root.parent
        return above, f"{key}: {root} is the folder of one case; the folder above it, {above}, is taken"
    below = [name for name in folders if not own and _holds_cases(listing, name)]
    alone = len(below) == 1 and not any(may_hold_images(listing, name) for name in folders if name != below[0])
    if alone and not _holds_visits(listing, below[0]):
        taken = root / below[0]
        return taken, f"{key}: the cases are one level deeper than {root}; {taken} is taken"
    return root, None


def describe_expected_layout(task: Task) -> str:
    """What a root should be, for messages."""
    endings = [ending for ending, role in task.file_endings if role == task.channel_names[0]]
    example = task.case_name.format(patient=0, time_point=task.first_time_point)
    files = " or ".join(dict.fromkeys(f"{example}-{ending}.nii.gz" for ending in endings))
    return f"a folder of cases in a known layout: {LAYOUT_NAMES}" + (f", with files such as {files}" if files else "")


def _holds_cases(listing: Listing, name: str) -> bool:
    """Whether a folder is a root of cases itself, or has to do with them."""
    inner = Listing(listing.root / name, listing.task)
    return folder_kind(listing, name) is not None or is_nnunet_root(inner) or is_bids_root(inner)


def _holds_visits(listing: Listing, folder: str) -> bool:
    names = [name for name in listing.folders(folder) if folder_kind(listing, f"{folder}/{name}") == "case"]
    return bool(names) and all(map(is_visit_name, names))


def _no_image_hint(listing: Listing, key: str) -> Message:
    """What a folder without any image of a case holds in their place."""
    names = listing.entries("")
    packed = sorted(name for name, is_folder in names if not is_folder and archive_content(name) is not None)
    if packed:
        return f"; it holds what is still packed ({abbreviate(packed)}): extract it"
    folders = [CaseFiles(name, {}, name) for name in listing.folders("") if not is_awkward_name(name)]
    unknown = [f"{case.case}/{name}" for case in folders for name in unrecognised_files(listing.root, case)]
    unknown += listing.files("")
    if unknown:
        return (
            f"; found, but not understood: {abbreviate(unknown)}; it should be {describe_expected_layout(listing.task)}; rename the files"
            f"{sample_sheet_hint(listing.root, listing.task, key)}"
        )
    if awkward := sorted(name for name in listing.folders("") if is_awkward_name(name)):
        return (
            "; names with braces, control characters or bytes that are no UTF-8 cannot be used: rename "
            f"{abbreviate(map(printable, awkward))}"
        )
    return f"; it should be {describe_expected_layout(listing.task)}"


ROOT_KEY = "cohort.root"


def locate_roots(roots: Sequence[Path], task: Task) -> tuple[Path, list[str], list[str]]:
    """The folder that all paths of the cohort are relative to, the folders of cases below it, and what to say of them.

    Of a single root that is the folder which `discover.locate` takes, with "" below it; of several the one that all of
    them have in common.
    """
    if len(roots) == 1:
        folder, note = locate_cohort_folder(roots[0], task)
        return folder, [""], [note] if note else []
    located = [(root, *locate_cohort_folder(root, task)) for root in roots]
    # One among several that is the folder of a case is meant as that.
    pairs = [(root, None) if folder in (root.parent, root / "..") else (folder, note) for root, folder, note in located]
    folders, notes = [folder for folder, _ in pairs], [note for _, note in pairs if note]
    common = os.path.commonpath([os.path.abspath(folder) for folder in folders])  # noqa: PTH100 - links stay
    below = [os.path.relpath(folder, common) for folder in folders]
    base = Path(common) if any(root.is_absolute() for root in roots) else Path(os.path.relpath(common))
    return base, ["" if part == "." else part for part in below], notes


def discover_roots(
    base: Path, subfolders: Sequence[str], task: Task, note: Callable[[str], object] = lambda _: None
) -> list[CaseFiles]:
    """The cases of all folders `parts` below `base`, as one cohort, sorted by name; paths are relative to `base`.

    Raises UserError as `discover` does, where a folder lies in another one, and where a case is in two of them.
    """
    if list(subfolders) == [""]:
        return discover_cases(base, task, note=note)
    _raise_if_nested([base / part for part in subfolders])
    found: dict[str, CaseFiles] = {}
    places: dict[str, Path] = {}
    for part in subfolders:
        for case in discover_cases(base / part, task, note=note):
            name = case.case.casefold()
            if name in found:
                raise UserError(
                    f"{ROOT_KEY}: the case {case.case} is in {places[name]} and in {base / part}; rename or remove one of "
                    "them, or list all cases in a sample sheet (cohort.samples) under names of their own"
                )
            found[name], places[name] = _relative_to_base(part, case), base / part
    return sorted(found.values(), key=lambda case: case.case)


def _relative_to_base(subfolder: str, case: CaseFiles) -> CaseFiles:
    files = {role: tuple(join_path(subfolder, path) for path in paths) for role, paths in case.files.items()}
    return replace(case, files=files, folder=None if case.folder is None else join_path(subfolder, case.folder))


def _raise_if_nested(folders: Sequence[Path]) -> None:
    for place, folder in enumerate(folders):
        for other in folders[:place]:
            one, two = folder.resolve(), other.resolve()
            if one.is_relative_to(two) or two.is_relative_to(one):
                inner, outer = (folder, other) if one.is_relative_to(two) else (other, folder)
                what = "is the same folder as" if one == two else "lies in"
                raise UserError(
                    f"{ROOT_KEY}: {inner} {what} {outer}, and its cases would count twice; leave one of them out"
                )
