"""Folders that stand among the case folders and cannot be read as a case."""

from pathlib import Path

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.layouts.listing import few
from tumorseg.cohort.naming import is_awkward
from tumorseg.cohort.unused import case_folders_in
from tumorseg.cohort.verdict import Finding
from tumorseg.task import Task


def folder_problem(root: Path, case: CaseFiles, task: Task) -> Finding | None:
    """`awkward_name` or `folder_of_cases`, where one of them is the reason why a folder has no files of a case."""
    if case.folder is None:
        return None
    if is_awkward(case.folder):
        message = (
            f"the folder is called {case.folder!a}: braces, control characters and bytes that are no UTF-8 cannot "
            "stand in tables and plans; rename the folder and the files in it"
        )
        return Finding("awkward_name", case.case, message)
    inside = case_folders_in(root, case, task)
    if not inside:
        return None
    path = root / case.folder
    what = f"a link to {path.readlink()}, a folder of cases" if path.is_symlink() else "a folder of cases"
    remedy = "remove the link" if path.is_symlink() else "move them up, or give this folder as the one of the cases"
    return Finding("folder_of_cases", case.case, f"this is {what} ({few(inside, 3)}), and no case; {remedy}")
