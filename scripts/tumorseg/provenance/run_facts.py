"""The facts of a run: commit, package versions, machine, date, and a digest of its data."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from tumorseg.cohort.validation_result import ValidationResult

_PACKAGES: Final = ("snakemake", "torch", "numpy", "nibabel", "pandas", "scikit-learn", "matplotlib")
"""Named with their versions where they are installed; the versions behind each rule stand beside its code's digest."""


@dataclass(frozen=True)
class RunFacts:
    """made: date and time, UTC. commit: of the repository, or why none is known. versions: of Python and packages."""

    made: str
    commit: str
    machine: str
    versions: dict[str, str]


@dataclass(frozen=True)
class DataFacts:
    """The raw files of the usable cases. size: bytes on disk. digest: see `data_facts`."""

    files: int
    size: int
    digest: str


def run_facts(repository: Path, now: datetime) -> RunFacts:
    """The facts of what is made `now` (in UTC) by the code in the folder `repository`."""
    return RunFacts(
        made=f"{now:%Y-%m-%d %H:%M} UTC",
        commit=commit_of(repository),
        machine=_machine(),
        versions={"Python": platform.python_version(), **_versions(_PACKAGES)},
    )


def commit_of(repository: Path) -> str:
    """The commit of a git checkout, and whether its files differ from it; a few words where there is none."""
    try:
        # Of the folder itself: a copy without history may lie in a checkout of something else.
        if Path(_git(repository, "rev-parse", "--show-toplevel")).resolve() != repository.resolve():
            return "unknown: not a git checkout"
        commit = _git(repository, "rev-parse", "HEAD")
        changed = _git(repository, "status", "--porcelain", "--untracked-files=no")
    except FileNotFoundError:
        return "unknown: git is not installed"
    except subprocess.CalledProcessError:
        return "unknown: not a git checkout"
    return f"{commit}, with changes that are not committed" if changed else commit


def data_facts(verdicts: Iterable[ValidationResult], usable: set[str]) -> DataFacts:
    """Files, bytes and one digest of the raw files of the `usable` cases.

    The digest is the SHA-256 of a line `case role digest` for each file, sorted, where digest is the XXH3-128 of the
    file's bytes that validation took: equal for equal files, wherever they lie.
    """
    files = [
        (verdict.case, role, file)
        for verdict in verdicts
        if verdict.case in usable
        for role, file in verdict.facts["files"].items()
    ]
    lines = sorted(f"{case} {role} {file['digest']}\n" for case, role, file in files)
    return DataFacts(
        files=len(files),
        size=sum(file["bytes"] for _, _, file in files),
        digest=hashlib.sha256("".join(lines).encode()).hexdigest(),
    )


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603


def _versions(packages: Iterable[str]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{_processor()}, {os.cpu_count()} logical cores, {memory:.0f} GiB of memory; {platform.platform()}"


def _processor() -> str:
    """The processor's name where the system tells it (Linux), else its architecture."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
