"""A cohort whose cases lie below one folder or several, such as two downloads of a challenge."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.discover import discover, locate
from tumorseg.cohort.layouts.listing import join
from tumorseg.errors import UserError
from tumorseg.task import Task

KEY = "cohort.root"


def locate_roots(roots: Sequence[Path], task: Task) -> tuple[Path, list[str], list[str]]:
    """The folder that all paths of the cohort are relative to, the folders of cases below it, and what to say of them.

    Of a single root that is the folder which `discover.locate` takes, with "" below it; of several the one that all of
    them have in common.
    """
    if len(roots) == 1:
        folder, note = locate(roots[0], task)
        return folder, [""], [note] if note else []
    located = [(root, *locate(root, task)) for root in roots]
    # One among several that is the folder of a case is meant as that.
    pairs = [(root, None) if folder in (root.parent, root / "..") else (folder, note) for root, folder, note in located]
    folders, notes = [folder for folder, _ in pairs], [note for _, note in pairs if note]
    common = os.path.commonpath([os.path.abspath(folder) for folder in folders])  # noqa: PTH100 - links stay
    below = [os.path.relpath(folder, common) for folder in folders]
    base = Path(common) if any(root.is_absolute() for root in roots) else Path(os.path.relpath(common))
    return base, ["" if part == "." else part for part in below], notes


def discover_roots(
    base: Path, parts: Sequence[str], task: Task, note: Callable[[str], object] = lambda _: None
) -> list[CaseFiles]:
    """The cases of all folders `parts` below `base`, as one cohort, sorted by name; paths are relative to `base`.

    Raises UserError as `discover` does, where a folder lies in another one, and where a case is in two of them.
    """
    if list(parts) == [""]:
        return discover(base, task, note=note)
    _refuse_nested([base / part for part in parts])
    found: dict[str, CaseFiles] = {}
    places: dict[str, Path] = {}
    for part in parts:
        for case in discover(base / part, task, note=note):
            name = case.case.casefold()
            if name in found:
                raise UserError(
                    f"{KEY}: the case {case.case} is in {places[name]} and in {base / part}; rename or remove one of "
                    "them, or list all cases in a sample sheet (cohort.samples) under names of their own"
                )
            found[name], places[name] = _below(part, case), base / part
    return sorted(found.values(), key=lambda case: case.case)


def _below(part: str, case: CaseFiles) -> CaseFiles:
    files = {role: tuple(join(part, path) for path in paths) for role, paths in case.files.items()}
    return replace(case, files=files, folder=None if case.folder is None else join(part, case.folder))


def _refuse_nested(folders: Sequence[Path]) -> None:
    for place, folder in enumerate(folders):
        for other in folders[:place]:
            one, two = folder.resolve(), other.resolve()
            if one.is_relative_to(two) or two.is_relative_to(one):
                inner, outer = (folder, other) if one.is_relative_to(two) else (other, folder)
                what = "is the same folder as" if one == two else "lies in"
                raise UserError(
                    f"{KEY}: {inner} {what} {outer}, and its cases would count twice; leave one of them out"
                )
