"""Write files atomically, read files that the workflow wrote, and find the cached copies of a result.

A file is written under a temporary name, flushed to disk and renamed: it is either complete or absent.
"""

import errno
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

_SPACE_REMEDY: Final[Message] = "free space on its disk"
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
    """Return whether an error comes from the machine instead of the file, so that another attempt may succeed.

    Too many open files or an unreachable network disk are transient. A missing file, a missing permission or a read
    error of the disk are not.
    """
    return error.errno not in _FILE_ERRORS


def describe_file_kind(mode: int) -> Message | None:
    """Return the kind of file that `st_mode` describes ("a FIFO (named pipe)"); None if it is a regular file."""
    if stat.S_ISREG(mode):
        return None
    return next((words for is_kind, words in _KINDS if is_kind(mode)), None) or "no regular file"


def require_regular_file(path: Path) -> int:
    """Return the size of a regular file in bytes. Links are followed.

    The file is not opened, since opening a FIFO would block forever.

    Raises:
        OSError: there is no file.
        UserError: `path` is a folder, a FIFO or another file that is not regular.
    """
    status = path.stat()
    if kind := describe_file_kind(status.st_mode):
        raise UserError(f"{path}: this is {kind}, not a regular file; put the file itself there")
    return status.st_size


@contextmanager
def report_os_errors(path: Path) -> Iterator[None]:
    """Convert an OSError of a block that writes `path` if the user can fix it.

    Raises:
        UserError: the disk is full or not writable.
        OSError: any other error.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _REMEDIES:
            raise
        remedy = _REMEDIES[error.errno]
        raise UserError(f"{path}: cannot be written ({error.strerror}); {remedy}, and run again") from error


def make_folder(path: Path) -> None:
    """Make a folder and its parents if they are missing.

    Raises:
        UserError: the disk is full or not writable.
    """
    with report_os_errors(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it to `path` when the block ends without error.

    The content and the folder's entry are flushed to disk. The file gets the permissions of any new file, even if a
    library replaces it. If the block fails, the temporary file is removed and `path` does not change.

    Yields:
        A path with the suffixes of `path`.

    Raises:
        UserError: the disk is full or not writable.
    """
    temporary = path.with_name(f"{_temporary_prefix()}{os.getpid()}-{path.name}")
    try:
        with report_os_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _remove_stale_temporaries(path)
            temporary.touch()
            mode = temporary.stat().st_mode
            yield temporary
            temporary.chmod(mode)  # some libraries replace it by a file that only its owner may read
            _fsync(temporary)
            temporary.replace(path)
            _fsync(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink()


def _temporary_prefix() -> str:
    """Return the prefix of this machine's temporary files. Processes of other machines cannot be checked."""
    return f".tmp-{socket.gethostname()}-"


def _remove_stale_temporaries(path: Path) -> None:
    """Remove temporary files of this machine's processes that were killed while they wrote `path`."""
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
    """Write `content` to `path` atomically."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write `content` as UTF-8 to `path` atomically."""
    write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> None:
    """Write `content` atomically as indented JSON with sorted keys.

    Raises:
        ValueError: `content` holds NaN or an infinity.
    """
    write_text(path, json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n")


class CorruptedFileError(UserError):
    """A file that the workflow wrote is missing or no longer holds what was written."""


def read_json(path: Path) -> Any:
    """Return the content of a JSON file that the workflow wrote.

    Raises:
        CorruptedFileError: the file is missing or corrupted.
        UserError: the file cannot be read now.
    """
    try:
        size = require_regular_file(path)
        if size > MAX_JSON_BYTES:
            raise UserError(f"it has {size} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, UserError) as error:
        if isinstance(error, PermissionError) or (isinstance(error, OSError) and is_transient(error)):
            # The file may be valid: do not advise to delete it.
            raise UserError(f"{path}: cannot be read now ({error.strerror}); fix the cause and run again") from None
        raise CorruptedFileError(
            f"{path}: this file is missing or corrupted ({error}); delete {describe_locations(path)} and run again"
        ) from None


def cache_locations(path: Path) -> list[Path]:
    """Return the paths to delete before a result is made again: its own, and those in Snakemake's cache.

    A cached result is a link into the cache, or a folder of links into it.

    Args:
        path: file or folder of results.

    Returns:
        `path` first, then the paths in the cache.
    """
    if path.is_symlink():
        return [path, path.resolve()]
    return [path, *sorted({entry.resolve().parent for entry in path.glob("*") if entry.is_symlink()})]


def describe_locations(path: Path) -> Message:
    """Return the paths of a result and of its cached copies, joined by "and"."""
    return " and ".join(map(str, cache_locations(path)))
