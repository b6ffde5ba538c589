"""Find the raw files that have changed since they were recorded, whatever their dates and sizes.

Snakemake compares times, but a file that replaces another often keeps an older date. Planning therefore compares the
size, times and inode of each file with those of the last planning. Only if they differ, it reads the file and compares
its digest with the record: the validation result, or the record of a segmentation.
"""

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from xxhash import xxh3_128

from tumorseg.io.files import write_text

_SIGNATURES_FILE: Final = "signatures.json"
_MAX_BYTES: Final = 2**32


@dataclass(frozen=True)
class RecordedFile:
    """What a record says about a file.

    size: in bytes. digest: XXH3-128 of the bytes, None if the file is too large to be read. Both are None if the file
    could not be read, which may have been a passing trouble.
    """

    size: int | None = None
    digest: str | None = None


@dataclass(frozen=True)
class ChangedFiles:
    """The paths, relative to the root, of the files that have changed, and of those dated in the future."""

    changed: tuple[str, ...]
    future: tuple[str, ...]


def recorded_files(paths: Iterable[str], facts: Iterable[Mapping[str, Any]]) -> dict[str, RecordedFile]:
    """What the record of a case says about each of its files.

    Args:
        paths: the files that the case has now. The record may not name all of them: its folder was closed then.
        facts: `path`, `bytes` and `digest` of each file in the record.
    """
    known = {fact["path"]: RecordedFile(fact["bytes"], fact["digest"]) for fact in facts}
    return {path: known.get(path, RecordedFile()) for path in paths}


def find_changed_files(
    folder: Path, root: Path, shards: Mapping[str, Sequence[str]], records: Mapping[str, Mapping[str, RecordedFile]]
) -> ChangedFiles:
    """Compare the files of all batches with their records, and note in `folder` what has changed.

    `{batch}.json` in `folder` names each file of a batch that has ever changed after a record was written, with the
    time when each change was noticed and the digest in that record. It exists only if there is such a file. A job that
    has it as input runs again exactly when a file of its batch has changed. The last change is taken back if the file
    of that record is there again: it was away for a while, or planning looked at another folder. If `folder` is lost,
    all files are read once.

    Args:
        folder: where signatures and changes are kept between plannings.
        root: the folder that all paths are relative to.
        batches: the files of each batch.
        recorded: what the record of a batch says about each file. Files without an entry are new to the batch, or the
            batch has no record: its job runs in any case.

    Raises:
        UserError: `folder` cannot be written to.
    """
    remembered = _read_json_object(folder / _SIGNATURES_FILE)
    above = str(root)  # joining a Path for each of so many files takes longer than looking at the file
    now = time.time_ns()
    signatures: dict[str, list[int]] = {}
    changed: list[str] = []
    future: list[str] = []
    for batch, paths in shards.items():
        known, before, noted = records.get(batch, {}), _read_json_object(folder / f"{batch}.json"), {}
        for path in paths:
            status = file_status(os.path.join(above, path))  # noqa: PTH118
            signatures[path] = signature = _signature(status)
            seen = remembered.get(path) == signature
            noted[path] = changes if isinstance(changes := before.get(path), list) else []
            if path in known and not _is_unchanged(root / path, status, known[path], seen=seen):
                noted[path] = [*_without_pending(noted[path], known[path]), [now, known[path].digest]]
                changed.append(path)
            elif path in known and not seen:
                noted[path] = _without_pending(noted[path], known[path])
            if status is not None and status.st_mtime_ns > now:
                future.append(path)
        _write_changes(folder / f"{batch}.json", before, {path: changes for path, changes in noted.items() if changes})
    if signatures != remembered:
        write_text(folder / _SIGNATURES_FILE, json.dumps(signatures))
    return ChangedFiles(tuple(changed), tuple(future))


def file_digest(path: Path) -> str | None:
    """XXH3-128 of the bytes of a regular file; None if it is not one, is larger than 4 GiB, or cannot be read."""
    hasher: Any = xxh3_128  # which is all that hashlib needs, but not by its type
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
            return None
        with path.open("rb") as file:
            return str(hashlib.file_digest(file, hasher).hexdigest())
    except OSError:
        return None


def _is_unchanged(path: Path, status: os.stat_result | None, known: RecordedFile, *, seen: bool) -> bool:
    """Whether a file is still the one in the record. seen: it looks as it did at the planning before."""
    if known.digest is not None:
        return seen or (status is not None and status.st_size == known.size and file_digest(path) == known.digest)
    if known.size is None:  # it could not be read: the same as long as it still cannot be
        return (seen or status is None) and file_digest(path) is None
    return seen


def file_status(path: str) -> os.stat_result | None:
    """The status of a file; None where it has none, as a link that leads nowhere or what lies in a closed folder."""
    try:
        return os.stat(path)  # noqa: PTH116
    except OSError:
        return None


def _signature(status: os.stat_result | None) -> list[int]:
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino] if status else []


def _without_pending(changes: list[list[Any]], known: RecordedFile) -> list[list[Any]]:
    """The noted changes of a file, less the last one if no record has been written since."""
    return changes[:-1] if changes and changes[-1][1] == known.digest else changes


def _write_changes(file: Path, before: Mapping[str, Any], noted: Mapping[str, Any]) -> None:
    """Write the changes of a batch if they differ from those noted before; without any, there is no file."""
    if not noted:
        file.unlink(missing_ok=True)
    elif noted != before:
        write_text(file, json.dumps(noted, indent=2, sort_keys=True) + "\n")


def _read_json_object(path: Path) -> dict[str, Any]:
    """The content of a file that is written here; nothing if it is missing or damaged, which costs time only."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
