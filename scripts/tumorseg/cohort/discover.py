"""Which cases a data folder holds, and the files of each, by name alone.

Runs whenever the workflow is planned, so it lists folders and opens no file but `dataset.json`.
"""

from collections.abc import Callable
from pathlib import Path

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.layouts.bids import bids_cases, is_bids_root
from tumorseg.cohort.layouts.group_names import is_visit, refuse_twice
from tumorseg.cohort.layouts.listing import Listing, few, sheet_hint, telling
from tumorseg.cohort.layouts.plain import holds_images, kind_of, plain_cases
from tumorseg.cohort.layouts.training_folders import is_training_root, training_cases
from tumorseg.cohort.naming import archive_of, is_awkward, shown
from tumorseg.cohort.unused import not_understood
from tumorseg.errors import Message, UserError
from tumorseg.task import Task

LAYOUTS = (
    "one folder per case, groups of them (HGG, LGG; patients with visits), images and masks in folders of their own, "
    "BIDS, nnU-Net or the Decathlon"
)


def discover(
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
        raise UserError(f"{key}: cannot list {root} ({error.strerror}); it should be {expected(task)}") from None
    listing, cases = Listing(root, task), None
    if is_training_root(listing):
        cases = training_cases(listing, key, note, masks=masks)
    elif is_bids_root(listing):
        cases = bids_cases(listing, key)
    if cases is None:
        cases = plain_cases(listing, "", key, note)
    if not any(case.files for case in cases):
        raise UserError(f"{key}: no image was found below {root}{_hint(listing, key)}")
    refuse_twice(cases, root, key)
    return sorted(cases, key=lambda case: case.case)


def locate(root: Path, task: Task, key: str = "cohort.root") -> tuple[Path, str | None]:
    """The folder that is meant by `root`, and a sentence about it where that is not `root` itself.

    Where `root` is the folder of one case, it is the folder above; where the cases are all in one folder below `root`,
    it is that.
    """
    listing = Listing(root, task)
    folders = listing.folders("")
    if is_training_root(listing) or any(kind_of(listing, name) == "case" for name in folders) or is_bids_root(listing):
        return root, None
    own = {found.case.casefold() for found in telling(listing.images(""))}
    if len(own) == 1 and not listing.volumes:
        above = root / ".." if root.name in ("", "..") else root.parent
        return above, f"{key}: {root} is the folder of one case; the folder above it, {above}, is taken"
    below = [name for name in folders if not own and _holds_cases(listing, name)]
    alone = len(below) == 1 and not any(holds_images(listing, name) for name in folders if name != below[0])
    if alone and not _are_visits(listing, below[0]):
        taken = root / below[0]
        return taken, f"{key}: the cases are one level deeper than {root}; {taken} is taken"
    return root, None


def expected(task: Task) -> str:
    """What a root should be, for messages."""
    endings = [ending for ending, role in task.file_endings if role == task.channel_names[0]]
    example = task.case_name.format(patient=0, time_point=task.first_time_point)
    files = " or ".join(dict.fromkeys(f"{example}-{ending}.nii.gz" for ending in endings))
    return f"a folder of cases in a known layout: {LAYOUTS}" + (f", with files such as {files}" if files else "")


def _holds_cases(listing: Listing, name: str) -> bool:
    """Whether a folder is a root of cases itself, or has to do with them."""
    inner = Listing(listing.root / name, listing.task)
    return kind_of(listing, name) is not None or is_training_root(inner) or is_bids_root(inner)


def _are_visits(listing: Listing, folder: str) -> bool:
    names = [name for name in listing.folders(folder) if kind_of(listing, f"{folder}/{name}") == "case"]
    return bool(names) and all(map(is_visit, names))


def _hint(listing: Listing, key: str) -> Message:
    """What a folder without any image of a case holds in their place."""
    names = listing.entries("")
    packed = sorted(name for name, is_folder in names if not is_folder and archive_of(name) is not None)
    if packed:
        return f"; it holds what is still packed ({few(packed)}): extract it"
    folders = [CaseFiles(name, {}, name) for name in listing.folders("") if not is_awkward(name)]
    unknown = [f"{case.case}/{name}" for case in folders for name in not_understood(listing.root, case)]
    unknown += listing.files("")
    if unknown:
        return (
            f"; found, but not understood: {few(unknown)}; it should be {expected(listing.task)}; rename the files"
            f"{sheet_hint(listing.root, listing.task, key)}"
        )
    if awkward := sorted(name for name in listing.folders("") if is_awkward(name)):
        return (
            "; names with braces, control characters or bytes that are no UTF-8 cannot be used: rename "
            f"{few(map(shown, awkward))}"
        )
    return f"; it should be {expected(listing.task)}"
