"""Find the raw files whose content has changed since it was recorded.

Snakemake compares dates, but a file that replaces another may have an older date. Planning therefore compares the size,
times and inode of each file with those of the previous planning. If they differ, it reads the file and compares its
digest with the record: the validation result, or the record of a segmentation.
"""

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tumorseg.io.digests import file_digest_or_none
from tumorseg.io.files import write_text

_SIGNATURES_FILE: Final = "signatures.json"


@dataclass(frozen=True)
class RecordedFile:
    """The size and digest of a file when it was recorded.

    Attributes:
        size_bytes: None if the file could not be read, perhaps for a transient reason.
        digest: XXH3-128 of the bytes; None if the file could not be read or is too large to be read.
    """

    size_bytes: int | None = None
    digest: str | None = None


@dataclass(frozen=True)
class ChangedFiles:
    """The paths, relative to the root, of the files that have changed and of the files dated in the future."""

    changed: tuple[str, ...]
    future: tuple[str, ...]


def recorded_files(paths: Iterable[str], entries: Iterable[Mapping[str, Any]]) -> dict[str, RecordedFile]:
    """Return the recorded size and digest of each file of a case.

    Args:
        paths: files that the case has now. The record may lack some, if the folder could not be read then.
        entries: `path`, `bytes` and `digest` of each file in the record.

    Returns:
        Size and digest by path. Both are None for a file that the record lacks.
    """
    known = {entry["path"]: RecordedFile(entry["bytes"], entry["digest"]) for entry in entries}
    return {path: known.get(path, RecordedFile()) for path in paths}


def find_changed_files(
    folder: Path, root: Path, shards: Mapping[str, Sequence[str]], records: Mapping[str, Mapping[str, RecordedFile]]
) -> ChangedFiles:
    """Compare the files of all shards with their records, and note in `folder` what has changed.

    A job that has `{shard}.json` in `folder` as input runs again when a file of its shard has changed. The JSON file
    lists each file that has changed since it was recorded. Each change has the time when it was noticed and the digest
    in the record. If the recorded content is there again, the last change is removed: the file was missing for a while,
    or planning looked at another folder. If no file has changed, there is no JSON file. If `folder` is lost, all files
    are read once.

    Args:
        folder: keeps signatures and changes between plannings.
        root: folder that all paths are relative to.
        shards: files of each shard.
        records: recorded files of each shard. The job of a shard without a record, or with a new file, runs anyway.

    Returns:
        The files that have changed, and the files dated in the future.

    Raises:
        UserError: `folder` is not writable.
    """
    remembered = _read_json_object(folder / _SIGNATURES_FILE)
    root_path = str(root)  # building a Path for each of many files takes longer than its stat
    now = time.time_ns()
    signatures: dict[str, list[int]] = {}
    changed: list[str] = []
    future: list[str] = []
    for shard, paths in shards.items():
        known, before, noted = records.get(shard, {}), _read_json_object(folder / f"{shard}.json"), {}
        for path in paths:
            status = file_status(os.path.join(root_path, path))  # noqa: PTH118
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
        _write_changes(folder / f"{shard}.json", before, {path: changes for path, changes in noted.items() if changes})
    if signatures != remembered:
        write_text(folder / _SIGNATURES_FILE, json.dumps(signatures))
    return ChangedFiles(tuple(changed), tuple(future))


def _is_unchanged(path: Path, status: os.stat_result | None, known: RecordedFile, *, seen: bool) -> bool:
    """Return whether a file is still the recorded one; `seen` if it has the signature of the previous planning."""
    if known.digest is not None:
        return seen or (
            status is not None and status.st_size == known.size_bytes and file_digest_or_none(path) == known.digest
        )
    if known.size_bytes is None:  # it could not be read: unchanged as long as it still cannot be read
        return (seen or status is None) and file_digest_or_none(path) is None
    return seen


def file_status(path: str) -> os.stat_result | None:
    """Return the status of a file; None if there is none, as for a broken link or within a folder without access."""
    try:
        return os.stat(path)  # noqa: PTH116
    except OSError:
        return None


def _signature(status: os.stat_result | None) -> list[int]:
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino] if status else []


def _without_pending(changes: list[list[Any]], known: RecordedFile) -> list[list[Any]]:
    """Return the noted changes of a file, without the last one if no record has been written since."""
    return changes[:-1] if changes and changes[-1][1] == known.digest else changes


def _write_changes(file: Path, before: Mapping[str, Any], noted: Mapping[str, Any]) -> None:
    """Write the changes of a shard if they differ from those noted before; delete the file if there are none."""
    if not noted:
        file.unlink(missing_ok=True)
    elif noted != before:
        write_text(file, json.dumps(noted, indent=2, sort_keys=True) + "\n")


def _read_json_object(path: Path) -> dict[str, Any]:
    """Return the content of a file written here; empty if it is missing or corrupted, which costs only time."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
