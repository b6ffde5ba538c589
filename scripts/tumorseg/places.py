"""Where results lie: in the working directory, and those that are shared in Snakemake's between-workflow cache too."""

from pathlib import Path

from tumorseg.errors import Message


def places(path: Path) -> list[Path]:
    """What to delete to have a result, a file or folder, made anew: `path`, and what the cache would give back instead.

    A shared result is a link into the cache, or a folder of such links.
    """
    if path.is_symlink():
        return [path, path.resolve()]
    return [path, *sorted({entry.resolve().parent for entry in path.glob("*") if entry.is_symlink()})]


def named(path: Path) -> Message:
    """The places of a result, in words."""
    return " and ".join(map(str, places(path)))
