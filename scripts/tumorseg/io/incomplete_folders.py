"""Find folders of results from which files are missing. Snakemake does not check the content of a folder."""

import json
import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tumorseg.io.files import write_json


def note_missing_files(folder: Path, expected: Iterable[str], note: Path) -> list[str]:
    """Write the files that are missing from a folder to the file `note`, and return their names.

    A job that has the note as input runs again when files are missing. The note remains after this job, since deleting
    an input would make the job run once more. If the files are there again without a run of the job, their entries are
    removed. A note without entries is deleted.

    Args:
        folder: folder that a job makes. If it does not exist, Snakemake runs the job anyway, and no file is missing.
        expected: names of the files in the folder.
        note: JSON file: a list of `missing` (names) and `noticed` (nanoseconds since 1970). A corrupted one is ignored.

    Returns:
        The names of the missing files.

    Raises:
        UserError: the note cannot be written.
    """
    missing = [name for name in expected if not (folder / name).exists()] if folder.is_dir() else []
    before, made = _read(note), _time_made(folder)
    noticed = [entry for entry in before if entry["noticed"] < made]
    if missing:
        noticed.append({"missing": missing, "noticed": time.time_ns()})
    if not noticed:
        note.unlink(missing_ok=True)
    elif noticed != before:
        write_json(note, noticed)
    return missing


def _read(note: Path) -> list[dict[str, Any]]:
    """Return the entries of a note; none if it is missing or corrupted."""
    try:
        content = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    entries = content if isinstance(content, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("noticed"), int)]


def _time_made(folder: Path) -> float:
    """Return when Snakemake finished the job that made a folder, in ns since 1970; infinity if unknown."""
    stamp = folder / ".snakemake_timestamp"
    return stamp.stat().st_mtime_ns if stamp.exists() else math.inf
