"""Collect the facts of a run: commit, package versions, machine, date, and a digest of its data."""

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
"""Packages whose versions are listed if they are installed. A digest of code covers all versions."""


@dataclass(frozen=True)
class RunFacts:
    """The facts of a run.

    Attributes:
        made: date and time in UTC.
        commit: of the repository, or the reason why it is unknown.
        machine: processor, cores, memory and system.
        versions: of Python and packages.
    """

    made: str
    commit: str
    machine: str
    versions: dict[str, str]


@dataclass(frozen=True)
class DataFacts:
    """The raw files of the usable cases.

    Attributes:
        files: number of files.
        size: bytes on disk.
        digest: of all files, see `data_facts`.
    """

    file_count: int
    size_bytes: int
    digest: str


def run_facts(repository: Path, now: datetime) -> RunFacts:
    """Return the facts of a run.

    Args:
        repository: folder of the code.
        now: present time in UTC.
    """
    return RunFacts(
        made=f"{now:%Y-%m-%d %H:%M} UTC",
        commit=commit_of(repository),
        machine=_machine(),
        versions={"Python": platform.python_version(), **_versions(_PACKAGES)},
    )


def commit_of(repository: Path) -> str:
    """Return the commit of a git checkout, with a note if files differ from it, or the reason why it is unknown."""
    try:
        # The folder must be the root of the checkout: a copy without history may be inside another checkout.
        if Path(_git(repository, "rev-parse", "--show-toplevel")).resolve() != repository.resolve():
            return "unknown: not a git checkout"
        commit = _git(repository, "rev-parse", "HEAD")
        changed = _git(repository, "status", "--porcelain", "--untracked-files=no")
    except FileNotFoundError:
        return "unknown: git is not installed"
    except subprocess.CalledProcessError:
        return "unknown: not a git checkout"
    return f"{commit}, with changes that are not committed" if changed else commit


def data_facts(results: Iterable[ValidationResult], usable: set[str]) -> DataFacts:
    """Return the number, the size and a digest of the raw files of the usable cases.

    Args:
        results: validation results.
        usable: ids of the usable cases.

    Returns:
        The facts. The digest is the SHA-256 of the sorted lines `case role digest` of all files, where `digest` is the
        XXH3-128 of the file's bytes. It does not depend on the paths of the files.
    """
    files = [
        (result.case, role, file)
        for result in results
        if result.case in usable
        for role, file in result.facts["files"].items()
    ]
    lines = sorted(f"{case} {role} {file['digest']}\n" for case, role, file in files)
    return DataFacts(
        file_count=len(files),
        size_bytes=sum(file["bytes"] for _, _, file in files),
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
    """Return the name of the processor (Linux) or its architecture."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
