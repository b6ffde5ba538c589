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
    """Have Snakemake, and all that it starts, take names of files for UTF-8.

    In another locale names that are UTF-8 would be other names, or none. This process is then started again in
    Python's UTF-8 mode, where it was called. directory: that of `--directory`, to which Snakemake has changed. Raises
    SystemExit where that cannot be done.

    References: PEP 540.
    """
    if sys.getfilesystemencoding() == "utf-8":
        os.environ[_UTF8_VARIABLE] = "1"
        return
    called_in = _original_directory(directory)
    if called_in is None or "snakemake" not in sys.argv[0] or os.environ.get(_UTF8_VARIABLE) == "1":
        raise SystemExit(
            f"Python takes names of files for {sys.getfilesystemencoding()} here, so that some cannot be read; set "
            f"{_UTF8_VARIABLE}=1 or LC_ALL=C.UTF-8, and run again"
        )
    sys.stdout.flush()
    sys.stderr.flush()
    os.chdir(called_in)
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, _UTF8_VARIABLE: "1"})  # noqa: S606


def _original_directory(directory: str | Path | None) -> Path | None:
    """The folder from which Snakemake has changed to `directory`; None where it is unknown."""
    if directory is None:
        return Path.cwd()
    shell = Path(os.environ.get("PWD", ""))
    return shell if Path(shell, directory).resolve() == Path.cwd() else None


_lock_descriptors: list[int] = []
"""Descriptors of marks, open until this process ends, and its marks with them."""


def lock_run_folder(lock_file: Path) -> int | None:
    """Mark this process as the one that runs in a folder. Return the process that has the mark already, or None.

    The system takes the mark off when a process ends, however it ends. None too where the disk knows no locks.
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
    """Environment variables that give Matplotlib a folder below `folder` where it cannot write to the home folder.

    Without one it makes a new cache in every job, and says so.
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
    """The text of a file for a shell to read, which sets environment variables."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
