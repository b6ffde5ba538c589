"""Find files in a case folder that have no role, and folders that are not a case."""

from pathlib import Path

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.file_names import is_awkward_name, is_system_file, may_be_image, printable
from tumorseg.cohort.layouts.listing import Listing, abbreviate, base_name, join_path, list_entries
from tumorseg.cohort.validation_result import Issue
from tumorseg.task import Task


def names_in_case_folder(root: Path, case: CaseFiles) -> list[str]:
    """List the entries that belong to a case.

    Args:
        root: folder that the paths of `case` are relative to.
        case: the case.

    Returns:
        The names in the case folder; without a case folder, the names beside its files that begin with the name of
        the case. Empty for a case of a sample sheet, which lists all files.

    Raises:
        OSError: the case folder cannot be listed.
    """
    if case.from_sheet:
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
    """List files that may be images of a case but have no role.

    Args:
        root: folder that the paths of `case` are relative to.
        case: the case.

    Returns:
        Printable names, folders with `/` at the end. Empty for a case of a sample sheet, which lists all files.
    """
    if case.from_sheet:
        return []
    used = {path for files in case.files.values() for path in files}
    folders = _file_folders(case) if case.folder is None else [_inner_folder(case.folder, used)]
    return sorted(
        f"{printable(name)}/" if is_folder else printable(name)
        for folder in folders
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
    """List the case folders inside a folder that is not a case itself, for example a link to the data folder.

    Args:
        root: folder that the paths of `case` are relative to.
        case: a folder that discovery took for a case.
        task: its file name endings tell which folders hold images of a case.

    Returns:
        The names of the inner folders; empty if `case` has files.
    """
    if case.files or case.folder is None or is_awkward_name(case.folder):
        return []
    listing = Listing(root, task)
    return [
        name
        for name in listing.folders(case.folder)
        if not (is_awkward_name(name) or listing.is_file(name)) and listing.images(join_path(case.folder, name))
    ]


def _inner_folder(folder: str, used: set[str]) -> str:
    """Return the folder of a case, or the folder of the same name in it (`X/X`) if all files are there."""
    inner = join_path(folder, base_name(folder))
    return inner if used and all(path.startswith(f"{inner}/") for path in used) else folder


def _file_folders(case: CaseFiles) -> list[str]:
    return sorted({path.rpartition("/")[0] for path in case.paths()})


def _belongs_to_case(case: CaseFiles, name: str) -> bool:
    """Return whether the name of a file begins with the name of the case."""
    rest = name[len(case.case) :]
    return name.lower().startswith(case.case.lower()) and (not rest or not rest[0].isalnum())


def folder_problem(root: Path, case: CaseFiles, task: Task) -> Issue | None:
    """Explain why the folder of a case holds none of its files.

    Args:
        root: folder that the paths of `case` are relative to.
        case: the case.
        task: task of the cohort.

    Returns:
        The problem `awkward_name` or `folder_of_cases`; None if neither applies.
    """
    if case.folder is None:
        return None
    if is_awkward_name(case.folder):
        message = (
            f"the folder is called {case.folder!a}: names with braces, control characters or bytes that are not UTF-8 "
            "cannot be used; rename the folder and the files in it"
        )
        return Issue("awkward_name", case.case, message)
    inner_cases = nested_case_folders(root, case, task)
    if not inner_cases:
        return None
    path = root / case.folder
    what = f"a link to {path.readlink()}, a folder of cases" if path.is_symlink() else "a folder of cases"
    remedy = "remove the link" if path.is_symlink() else "move them one level up, or use this folder as the data folder"
    return Issue("folder_of_cases", case.case, f"this is {what} ({abbreviate(inner_cases, 3)}), not a case; {remedy}")
