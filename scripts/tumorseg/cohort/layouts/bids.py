"""Find the cases of a BIDS data set: `sub-X[/ses-Y]/anat/sub-X[_ses-Y]_T1w.nii.gz`, masks also below `derivatives`.

References:
    Brain Imaging Data Structure, https://bids-specification.readthedocs.io
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.file_names import MASK, case_and_role, is_awkward_name, nifti_stem
from tumorseg.cohort.layouts.folders import folder_kind
from tumorseg.cohort.layouts.listing import Listing, NamedFile, group_by_role, join_path, sample_sheet_hint
from tumorseg.cohort.layouts.synonyms import channels_by_name, simplify_name
from tumorseg.errors import UserError
from tumorseg.task import Task

_SUBJECT: Final = re.compile(r"sub-[A-Za-z0-9+]+")
_ANAT_FOLDER: Final = "anat"
_MASK_SUFFIXES: Final = ("dseg", "mask", "roi")
_ORGAN_MASK: Final = re.compile(r"brain|head|skull|aseg|aparc|tissue|parenchyma|\b(?:gm|wm|csf|fov)\b", re.IGNORECASE)
"""Names in the entities `desc` and `label` of masks that are not of a tumour."""
_OTHER_FOLDERS: Final = ("derivatives", "sourcedata", "rawdata", "code", "phenotype", "stimuli")


@dataclass
class _Session:
    """The files of one session of a subject; `folder` holds its images and is None until it is known."""

    subject: str
    folder: str | None = None
    named: list[NamedFile] = field(default_factory=list)


def is_bids_root(listing: Listing) -> bool:
    """Return whether the root holds subjects of BIDS."""
    known = channels_by_name(listing.task)
    for subject in _subjects(listing, ""):
        folders = listing.folders(subject)
        if _ANAT_FOLDER in folders or any(
            _ANAT_FOLDER in listing.folders(join_path(subject, session)) for session in folders
        ):
            return True
        if any(_bids_role(name, known) and not case_and_role(name, listing.task) for name in listing.files(subject)):
            return True
    return False


def bids_cases(listing: Listing, key: str) -> list[CaseFiles]:
    """Return the cases of a BIDS data set: one per session, or per subject without sessions.

    Args:
        listing: listing of the data set.
        key: configuration key that names the folder, for messages.

    Returns:
        The cases, sorted by name. A contrast with several runs (`run-1`, `run-2`) has several files.

    Raises:
        UserError: the root also holds cases in another layout.
    """
    others = [
        name
        for name in listing.folders("")
        if not _SUBJECT.fullmatch(name) and name not in _OTHER_FOLDERS and folder_kind(listing, name)
    ]
    if others:
        raise UserError(
            f"{key}: {listing.root} mixes layouts: subjects of BIDS, and {others[0]} with cases; keep one of them"
            f"{sample_sheet_hint(listing.root, listing.task, key)}"
        )
    known = channels_by_name(listing.task)
    found: dict[str, _Session] = {}
    for subject in _subjects(listing, ""):
        for case, folder in _session_folders(listing, "", subject):
            entry = found.setdefault(case, _Session(subject, folder))
            _add_images(listing, folder, entry, known, found)
    for pipeline in ("", *listing.folders("derivatives")):
        above = join_path("derivatives", pipeline) if pipeline else "derivatives"
        for subject in _subjects(listing, above):
            for case, folder in _session_folders(listing, above, subject):
                _add_masks(listing, folder, found.setdefault(case, _Session(subject)), known, found)
    shared = {entry.folder for entry in found.values() if entry.named}
    return [
        CaseFiles(case, _files_by_role(entry.named), entry.folder, entry.subject)
        for case, entry in sorted(found.items())
        if entry.named or entry.folder not in shared
    ]


def _files_by_role(named: list[NamedFile]) -> dict[str, tuple[str, ...]]:
    """Return the files by role; label masks (`_dseg`) take precedence over masks of one region (`_mask`)."""
    files = group_by_role(named)
    of_labels = tuple(path for path in files.get(MASK, ()) if str(nifti_stem(path)).endswith("_dseg"))
    return {**files, MASK: of_labels} if of_labels else files


def _subjects(listing: Listing, above: str) -> list[str]:
    return [name for name in listing.folders(above) if _SUBJECT.fullmatch(name) and not is_awkward_name(name)]


def _session_folders(listing: Listing, above: str, subject: str) -> Iterator[tuple[str, str]]:
    """Yield the case and the image folder of each session."""
    subject_folder = join_path(above, subject)
    folders = listing.folders(subject_folder)
    sessions = [
        name
        for name in folders
        if name.startswith("ses-") or _ANAT_FOLDER in listing.folders(join_path(subject_folder, name))
    ]
    for session in sessions:
        folder = join_path(subject_folder, session)
        inner = _ANAT_FOLDER in listing.folders(folder)
        yield f"{subject}_{session}", join_path(folder, _ANAT_FOLDER) if inner else folder
    if _ANAT_FOLDER in folders or not sessions:
        yield subject, join_path(subject_folder, _ANAT_FOLDER) if _ANAT_FOLDER in folders else subject_folder


def _add_images(
    listing: Listing, folder: str, entry: _Session, known: dict[str, str], found: dict[str, _Session]
) -> None:
    """Add the images and masks of a folder. In a folder without a session, the names of files give the session."""
    for name in listing.files(folder):
        role = _role_of_file(name, known, listing.task)
        if role:
            target = _session_of(name, entry, folder, found)
            target.named.append(NamedFile(target.subject, (role,), join_path(folder, name)))


def _add_masks(
    listing: Listing, folder: str, entry: _Session, known: dict[str, str], found: dict[str, _Session]
) -> None:
    for name in listing.files(folder):
        if _role_of_file(name, known, listing.task) == MASK:
            _session_of(name, entry, None, found).named.append(
                NamedFile(entry.subject, (MASK,), join_path(folder, name))
            )


def _session_of(name: str, entry: _Session, folder: str | None, found: dict[str, _Session]) -> _Session:
    session = re.search(r"_(ses-[A-Za-z0-9+]+)_", name)
    case = f"{entry.subject}_{session[1]}" if session else None
    if case is None or found.get(case) is entry or (found.get(entry.subject) is not entry):
        return entry
    return found.setdefault(case, _Session(entry.subject, folder))


def _role_of_file(name: str, known: dict[str, str], task: Task) -> str | None:
    found = case_and_role(name, task)
    return _bids_role(name, known) or (found[1] if found else None)


def _bids_role(name: str, known: dict[str, str]) -> str | None:
    """Return the role of a BIDS file by its suffix and the entities `ce`, `desc` and `label`."""
    stem = nifti_stem(name)
    if stem is None or not stem.startswith("sub-") or "_" not in stem:
        return None
    *pairs, suffix = stem.split("_")
    entities = dict(pair.split("-", 1) for pair in pairs if "-" in pair)
    if suffix.lower() in _MASK_SUFFIXES:
        what = f"{entities.get('desc', '')} {entities.get('label', '')}"
        return None if _ORGAN_MASK.search(what) else MASK
    contrast = entities.get("ce", "none")
    return known.get(simplify_name(suffix) if contrast == "none" else simplify_name(f"ce{suffix}"))
