"""What lies beside the files of a case and is none of them."""

from pathlib import Path

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.layouts.listing import Listing, entries, join, last
from tumorseg.cohort.naming import is_awkward, is_stray, may_be_image, shown
from tumorseg.task import Task


def names_beside(root: Path, case: CaseFiles) -> list[str]:
    """The names in the folder of a case; where it has none of its own, those beside its files that begin with its name.

    None of a case of a sample sheet, which names all files. Raises OSError where its own folder cannot be listed.
    """
    if case.sheet:
        return []
    if case.folder is not None:
        return sorted(path.name for path in (root / case.folder).iterdir() if not is_awkward(path.name))
    return sorted(name for folder in _folders(case) for name, _ in entries(root / folder) if _is_of(case, name))


def not_understood(root: Path, case: CaseFiles) -> list[str]:
    """What beside the files of a case may be an image by its name and is none of its files, as it can be shown.

    Nothing of a case of a sample sheet, which names all files.
    """
    if case.sheet:
        return []
    used = {path for files in case.files.values() for path in files}
    places = _folders(case) if case.folder is None else [_within(case.folder, used)]
    return sorted(
        f"{shown(name)}/" if is_folder else shown(name)
        for folder in places
        for name, is_folder in entries(root / folder)
        if (case.folder is not None or _is_of(case, name))
        and not (
            join(folder, name) in used
            or (is_folder and any(path.startswith(f"{join(folder, name)}/") for path in used))
        )
        and not is_stray(name)
        and (is_folder or may_be_image(name))
    )


def case_folders_in(root: Path, case: CaseFiles, task: Task) -> list[str]:
    """The folders of cases in a folder that is no case itself: a link to the folder of all cases, or one between."""
    if case.files or case.folder is None or is_awkward(case.folder):
        return []
    listing = Listing(root, task)
    return [
        name
        for name in listing.folders(case.folder)
        if not (is_awkward(name) or listing.is_file(name)) and listing.images(join(case.folder, name))
    ]


def _within(folder: str, used: set[str]) -> str:
    """The folder of a case, or the one of its own name in it, where its files are there (`X/X`)."""
    again = join(folder, last(folder))
    return again if used and all(path.startswith(f"{again}/") for path in used) else folder


def _folders(case: CaseFiles) -> list[str]:
    return sorted({path.rpartition("/")[0] for path in case.paths()})


def _is_of(case: CaseFiles, name: str) -> bool:
    """Whether the name of a file begins with that of the case."""
    rest = name[len(case.case) :]
    return name.lower().startswith(case.case.lower()) and (not rest or not rest[0].isalnum())
