"""What a run finds on the machine where it starts: other runs in its folder, and a place for caches."""

import fcntl
import os
import shlex
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_held: list[int] = []
"""Descriptors of marks, open until this process ends, and its marks with them."""


def other_run(mark: Path) -> int | None:
    """Mark this process as the one that runs in a folder. Return the process that has the mark already, or None.

    The system takes the mark off when a process ends, however it ends. None too where the disk knows no locks.
    """
    with suppress(OSError, ValueError):
        mark.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(mark, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = int(os.read(descriptor, 20))
            return None if other == os.getpid() else other  # a module is read once for each `use rule` of it
        os.truncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        _held.append(descriptor)
    return None


def cache_variables(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
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
        return {"MPLCONFIGDIR": str(folder / "matplotlib")}


def as_shell(variables: Mapping[str, str]) -> str:
    """The text of a file for a shell to read, which sets environment variables."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
