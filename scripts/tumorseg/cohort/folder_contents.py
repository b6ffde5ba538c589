"""Files in a case folder that have no role in the case, and folders that are not a case."""

from pathlib import Path

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.file_names import is_awkward_name, is_system_file, may_be_image, printable
from tumorseg.cohort.layouts.listing import Listing, abbreviate, base_name, join_path, list_entries
from tumorseg.cohort.validation_result import Issue
from tumorseg.task import Task


def names_in_case_folder(root: Path, case: CaseFiles) -> list[str]:
    """The names in the folder of a case; where it has none of its own, those beside its files that begin with its name.

    None of a case of a sample sheet, which names all files. Raises OSError where its own folder cannot be listed.
    """
    if case.sheet:
        return []
    if case.folder is not None:
        return sorted(path.name for path in (root / case.folder).iterdir() if not is_awkward_name(path.name))
    return sorted(
        name
        for folder in _file_folders(case)
        for name, _ in list_entries(root / folder)
        if _belongs_to_case(case, name)
    )


def unrecognised_files(root: Path, case: CaseFiles) -> list[str]:
    """What beside the files of a case may be an image by its name and is none of its files, as it can be shown.

    Nothing of a case of a sample sheet, which names all files.
    """
    if case.sheet:
        return []
    used = {path for files in case.files.values() for path in files}
    places = _file_folders(case) if case.folder is None else [_inner_folder(case.folder, used)]
    return sorted(
        f"{printable(name)}/" if is_folder else printable(name)
        for folder in places
        for name, is_folder in list_entries(root / folder)
        if (case.folder is not None or _belongs_to_case(case, name))
        and not (
            join_path(folder, name) in used
            or (is_folder and any(path.startswith(f"{join_path(folder, name)}/") for path in used))
        )
        and not is_system_file(name)
        and (is_folder or may_be_image(name))
    )


def nested_case_folders(root: Path, case: CaseFiles, task: Task) -> list[str]:
    """The folders of cases in a folder that is no case itself: a link to the folder of all cases, or one between."""
    if case.files or case.folder is None or is_awkward_name(case.folder):
        return []
    listing = Listing(root, task)
    return [
        name
        for name in listing.folders(case.folder)
        if not (is_awkward_name(name) or listing.is_file(name)) and listing.images(join_path(case.folder, name))
    ]


def _inner_folder(folder: str, used: set[str]) -> str:
    """The folder of a case, or the one of its own name in it, where its files are there (`X/X`)."""
    again = join_path(folder, base_name(folder))
    return again if used and all(path.startswith(f"{again}/") for path in used) else folder


def _file_folders(case: CaseFiles) -> list[str]:
    return sorted({path.rpartition("/")[0] for path in case.paths()})


def _belongs_to_case(case: CaseFiles, name: str) -> bool:
    """Whether the name of a file begins with that of the case."""
    rest = name[len(case.case) :]
    return name.lower().startswith(case.case.lower()) and (not rest or not rest[0].isalnum())


def folder_problem(root: Path, case: CaseFiles, task: Task) -> Issue | None:
    """`awkward_name` or `folder_of_cases`, where one of them is the reason why a folder has no files of a case."""
    if case.folder is None:
        return None
    if is_awkward_name(case.folder):
        message = (
            f"the folder is called {case.folder!a}: braces, control characters and bytes that are no UTF-8 cannot "
            "stand in tables and plans; rename the folder and the files in it"
        )
        return Issue("awkward_name", case.case, message)
    inside = nested_case_folders(root, case, task)
    if not inside:
        return None
    path = root / case.folder
    what = f"a link to {path.readlink()}, a folder of cases" if path.is_symlink() else "a folder of cases"
    remedy = "remove the link" if path.is_symlink() else "move them up, or give this folder as the one of the cases"
    return Issue("folder_of_cases", case.case, f"this is {what} ({abbreviate(inside, 3)}), and no case; {remedy}")
