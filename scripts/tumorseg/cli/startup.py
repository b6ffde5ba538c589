"""Prepare the start of a run: UTF-8 file names, a lock against a second run in the same folder, cache folders."""

import fcntl
import os
import shlex
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

_UTF8_VARIABLE: Final = "PYTHONUTF8"


def require_utf8(directory: str | Path | None) -> None:
    """Make Snakemake and its jobs decode file names as UTF-8.

    If the locale has another encoding, this process restarts itself in Python's UTF-8 mode, in the folder from which it
    was called.

    Args:
        directory: value of `--directory`, to which Snakemake has already changed; None without the option.

    Raises:
        SystemExit: the process cannot restart itself.

    References:
        PEP 540.
    """
    if sys.getfilesystemencoding() == "utf-8":
        os.environ[_UTF8_VARIABLE] = "1"
        return
    called_in = _original_directory(directory)
    if called_in is None or "snakemake" not in sys.argv[0] or os.environ.get(_UTF8_VARIABLE) == "1":
        raise SystemExit(
            f"Python decodes file names as {sys.getfilesystemencoding()} here and may not find some files; set "
            f"{_UTF8_VARIABLE}=1 or LC_ALL=C.UTF-8, and run again"
        )
    sys.stdout.flush()
    sys.stderr.flush()
    os.chdir(called_in)
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, _UTF8_VARIABLE: "1"})  # noqa: S606


def _original_directory(directory: str | Path | None) -> Path | None:
    """Return the folder from which Snakemake has changed to `directory`; None if it is unknown."""
    if directory is None:
        return Path.cwd()
    shell = Path(os.environ.get("PWD", ""))
    return shell if Path(shell, directory).resolve() == Path.cwd() else None


_lock_descriptors: list[int] = []
"""Descriptors of lock files. They stay open, and with them the locks, until this process ends."""


def lock_run_folder(lock_file: Path) -> int | None:
    """Lock a folder for this process. The system releases the lock when the process ends for any reason.

    Args:
        lock_file: file to lock, which then holds the id of this process.

    Returns:
        The id of another process that holds the lock; None if this one has it or the disk does not support locks.
    """
    with suppress(OSError, ValueError):
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = int(os.read(descriptor, 20))
            return None if other == os.getpid() else other  # a module is read once for each `use rule` of it
        os.truncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        _lock_descriptors.append(descriptor)
    return None


def cache_variables(environment: Mapping[str, str], cache_folder: Path) -> dict[str, str]:
    """Return environment variables with a cache folder for Matplotlib if the home folder is read-only.

    Without such a folder Matplotlib builds its cache in every job, and prints a warning.

    Args:
        environment: of this process.
        cache_folder: the folder below which the cache goes.

    Returns:
        Names and values of the variables; empty if Matplotlib needs none.
    """
    if "MPLCONFIGDIR" in environment:
        return {}
    home = Path(environment.get("XDG_CONFIG_HOME") or os.path.expanduser("~"))  # noqa: PTH111
    try:
        with tempfile.TemporaryFile(dir=home):
            return {}
    except OSError:
        return {"MPLCONFIGDIR": str(cache_folder / "matplotlib")}


def shell_exports(variables: Mapping[str, str]) -> str:
    """Return a shell script that exports environment variables."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
