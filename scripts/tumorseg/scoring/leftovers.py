"""Scores that an earlier run left, of other folders than are scored now."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

_WRITTEN: Final = ("cases.csv", "summary.json", "comparison.csv", "comparison.json")


def remove_leftovers(folder: Path, written: Collection[Path]) -> list[Path]:
    """Remove the files of scores in `folder` and in its sub-folders that are not among those `written` now.

    Nothing else is touched; a sub-folder that is empty then goes too. Returns what was removed.
    """
    kept = {path.resolve() for path in written}
    there = [path for name in _WRITTEN for path in [folder / name, *folder.glob(f"*/{name}")] if path.is_file()]
    old = [path for path in there if path.resolve() not in kept]
    for path in old:
        path.unlink()
        if path.parent != folder and not any(path.parent.iterdir()):
            path.parent.rmdir()
    return old
