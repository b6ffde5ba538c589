"""Find folders that a job made and that have lost files since: Snakemake does not look into a folder."""

import json
import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tumorseg.io.files import write_json


def note_missing_files(folder: Path, expected: Iterable[str], note: Path) -> list[str]:
    """Record in the file `note` which files a folder lacks, and return their names.

    A job that has the note as input runs again when files are missing. The note remains afterwards; otherwise the next
    run would repeat the job. Entries noticed after the folder was made are removed once all files are there: the files
    were away for a while. An empty note is deleted. Raises UserError if the note cannot be written.

    Args:
        folder: a folder that a job makes. If there is none, no file counts as missing: Snakemake runs the job anyway.
        expected: the names of its files.
        note: JSON, a list of `missing` (names) and `noticed` (nanoseconds since 1970). A corrupted note counts as none.

    Returns:
        The names of the missing files.
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
