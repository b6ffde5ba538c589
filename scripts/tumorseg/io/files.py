"""Read and write files atomically: a file is either complete or absent.

Files are written under a temporary name, flushed to disk and renamed. Also: where cached copies of a result lie.
"""

import errno
import hashlib
import json
import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Any, Final

from tumorseg.errors import Message, UserError

_SPACE_REMEDY: Final[Message] = "make room on its disk"
_PERMISSION_REMEDY: Final[Message] = "give permission to write to its folder"
_REMEDIES: Final[dict[int, Message]] = {
    errno.ENOSPC: _SPACE_REMEDY,
    errno.EDQUOT: _SPACE_REMEDY,
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EACCES: _PERMISSION_REMEDY,
    errno.EPERM: _PERMISSION_REMEDY,
    errno.EROFS: _PERMISSION_REMEDY,
}

_FILE_ERRORS: Final = frozenset(
    {
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL),
        *(errno.EACCES, errno.EPERM, errno.EIO, errno.ENXIO, errno.ENODEV),
    }
)
_KINDS: Final[tuple[tuple[Callable[[int], bool], Message], ...]] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO (named pipe)"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


MAX_JSON_BYTES: Final = 256 * 2**20


def is_transient(error: OSError) -> bool:
    """Return whether an error is the machine's and not the file's: too many open files, a network disk that is away.

    Another attempt may succeed, so it says nothing about the file. No file, no permission and a read error of the disk
    are about the file.
    """
    return error.errno not in _FILE_ERRORS


def describe_file_kind(mode: int) -> Message | None:
    """Return what `st_mode` stands for in words where it is no regular file ("a FIFO (named pipe)"), else None."""
    if stat.S_ISREG(mode):
        return None
    return next((words for is_kind, words in _KINDS if is_kind(mode)), None) or "no regular file"


def require_regular_file(path: Path) -> int:
    """Return the size of a regular file in bytes, links followed. Nothing is opened: a FIFO would never answer.

    Raises UserError where something else stands there, OSError where nothing does.
    """
    status = path.stat()
    if kind := describe_file_kind(status.st_mode):
        raise UserError(f"{path}: this is {kind}, not a regular file; put the file itself there")
    return status.st_size


@contextmanager
def report_os_errors(path: Path) -> Iterator[None]:
    """A block that writes `path`. Raises UserError where the disk is full or may not be written to."""
    try:
        yield
    except OSError as error:
        if error.errno not in _REMEDIES:
            raise
        remedy = _REMEDIES[error.errno]
        raise UserError(f"{path}: cannot be written ({error.strerror}); {remedy}, and run again") from error


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are not there. Raises UserError as `told_by_name` does."""
    with report_os_errors(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, with its suffixes, that takes its place when the block ends without error.

    It has the permissions of any new file, whoever writes it. The content and the folder's entry are flushed to disk.
    When the block raises, the temporary file is removed and whatever stood at `path` before stays as it was.
    Raises UserError where the disk is full or may not be written to.
    """
    temporary = path.with_name(f"{_temporary_prefix()}{os.getpid()}-{path.name}")
    try:
        with report_os_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _remove_stale_temporaries(path)
            temporary.touch()
            mode = temporary.stat().st_mode
            yield temporary
            temporary.chmod(mode)  # some libraries put a private file of their own in its place
            _fsync(temporary)
            temporary.replace(path)
            _fsync(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink()


def _temporary_prefix() -> str:
    """How temporary files of this machine begin; another's processes on the same disk can be alive unseen."""
    return f".tmp-{socket.gethostname()}-"


def _remove_stale_temporaries(path: Path) -> None:
    """Remove the temporary files of processes of this machine that were killed while they wrote `path`."""
    for file in path.parent.glob(f"{escape(_temporary_prefix())}*-{escape(path.name)}"):
        process = file.name.removeprefix(_temporary_prefix()).removesuffix(f"-{path.name}")
        if process.isdigit() and not _is_alive(int(process)):
            file.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write `content` as UTF-8 to `path`, whole or not at all."""
    write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON with sorted keys. Raises ValueError for NaN and infinities."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n")


class CorruptedFileError(UserError):
    """A file that the workflow wrote is not there or is not what was written."""


def read_json(path: Path) -> Any:
    """The content of a JSON file that the workflow wrote, of at most `LARGEST_JSON` bytes.

    Raises DamagedFileError if it is missing or damaged, and another UserError if the machine could not read it (see
    `is_passing`) or may not: that says nothing against a file which the workflow wrote itself.
    """
    try:
        size = require_regular_file(path)
        if size > MAX_JSON_BYTES:
            raise ValueError(f"it has {size} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, UserError) as error:
        if isinstance(error, PermissionError) or (isinstance(error, OSError) and is_transient(error)):
            raise UserError(f"{path}: cannot be read now ({error.strerror}); mend that and run again") from None
        raise CorruptedFileError(
            f"{path}: this file is missing or damaged ({error}); delete {describe_locations(path)} and run again"
        ) from None


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_locations(path: Path) -> list[Path]:
    """What to delete to have a result, a file or folder, made anew: `path`, and what the cache would give back instead.

    A shared result is a link into the cache, or a folder of such links.
    """
    if path.is_symlink():
        return [path, path.resolve()]
    return [path, *sorted({entry.resolve().parent for entry in path.glob("*") if entry.is_symlink()})]


def describe_locations(path: Path) -> Message:
    """The places of a result, in words."""
    return " and ".join(map(str, cache_locations(path)))
