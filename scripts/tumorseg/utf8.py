"""Names of files in UTF-8, whatever the locale."""

import os
import sys
from pathlib import Path
from typing import Final

_MODE: Final = "PYTHONUTF8"


def insist_on_utf8(directory: str | Path | None) -> None:
    """Have Snakemake, and all that it starts, take names of files for UTF-8.

    In another locale names that are UTF-8 would be other names, or none. This process is then started again in
    Python's UTF-8 mode, where it was called. directory: that of `--directory`, to which Snakemake has changed. Raises
    SystemExit where that cannot be done.

    References: PEP 540.
    """
    if sys.getfilesystemencoding() == "utf-8":
        os.environ[_MODE] = "1"
        return
    called_in = _called_in(directory)
    if called_in is None or "snakemake" not in sys.argv[0] or os.environ.get(_MODE) == "1":
        raise SystemExit(
            f"Python takes names of files for {sys.getfilesystemencoding()} here, so that some cannot be read; set "
            f"{_MODE}=1 or LC_ALL=C.UTF-8, and run again"
        )
    sys.stdout.flush()
    sys.stderr.flush()
    os.chdir(called_in)
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, _MODE: "1"})  # noqa: S606


def _called_in(directory: str | Path | None) -> Path | None:
    """The folder from which Snakemake has changed to `directory`; None where it is unknown."""
    if directory is None:
        return Path.cwd()
    shell = Path(os.environ.get("PWD", ""))
    return shell if Path(shell, directory).resolve() == Path.cwd() else None
