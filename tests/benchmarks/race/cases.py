"""The cases of a race: folds of the real cases or of a demo cohort, or the user's training and test cases."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.benchmarks.study.plan import fold_cases, run_workflow
from tests.support.builders import REPOSITORY, TASK
from tests.support.case_files import learning_data
from tumorseg.codedigest.digest import CodeDigests
from tumorseg.cohort.discovery import discover_cases, locate_roots
from tumorseg.cohort.manifest import manifest_summary, read_manifest
from tumorseg.errors import UserError
from tumorseg.preprocessing.store import find_case
from tumorseg.synthetic.case import case_name
from tumorseg.synthetic.pool import write_pool

FOLDS = 3
DEMO = {"cohort": {"root": "cohort", "shards": 4}, "demo": {"cases": 16, "spacing_mm": 2.5, "seed": 90210}}
"""A demo cohort with another seed than the one used for tuning."""


@dataclass(frozen=True)
class Race:
    """Training and test cases of a race, as files of normalised cases."""

    seed: int
    fold: int
    training: list[Path]
    test: list[Path]


def fold_of_seeds(seeds: Sequence[int], folds: int = FOLDS) -> list[tuple[int, int]]:
    """Return each seed with the fold that is held out: another one for each seed, as far as there are folds."""
    return [(seed, index % folds) for index, seed in enumerate(seeds)]


def prepare_folds(folder: Path, normalisation: Mapping[str, Any], seeds: Sequence[int]) -> list[Race]:
    """Normalise the real cases where they are present, else a demo cohort, and return a race for each seed."""
    try:
        configuration = {"cohort": {"root": str(learning_data().resolve()), "shards": 4}}
        print(f"real cases of {configuration['cohort']['root']}", flush=True)
    except pytest.skip.Exception as reason:
        print(f"a demo cohort, because {reason}", flush=True)
        configuration = DEMO
    cohort = {**configuration["cohort"], "folds": FOLDS}
    run_workflow(
        folder, {**configuration, "cohort": cohort, "normalisation": dict(normalisation)}, ["normalise", "split"]
    )
    return [Race(seed, fold, *fold_cases(folder, fold)) for seed, fold in fold_of_seeds(seeds)]


def prepare_kept(
    folder: Path, normalisation: Mapping[str, Any], seeds: Sequence[int], *, training: Path, test: Path
) -> list[Race]:
    """Normalise the user's cases and return a race for each seed, with the same cases.

    Raises:
        UserError: a folder is missing or has no cases, or a case or a patient is in both.
    """
    found = prepare_cases_of(folder, normalisation, {"--training": training, "--test": test})
    return [Race(seed, 0, found["--training"], found["--test"]) for seed in seeds]


def prepare_cases_of(
    folder: Path, normalisation: Mapping[str, Any], cohorts: Mapping[str, Path]
) -> dict[str, list[Path]]:
    """Normalise the cases below some folders with the workflow.

    Cases that the workflow cannot use are printed and left out.

    Args:
        folder: where the workflow runs.
        normalisation: section of the configuration.
        cohorts: the folder of each option of the command line.

    Returns:
        The files of the normalised cases, by option.

    Raises:
        UserError: a folder is missing or has no usable cases, or a case or a patient is in several.
    """
    names = case_names(cohorts)
    roots = [str(root.resolve()) for root in cohorts.values()]
    cohort = {"root": roots if len(roots) > 1 else roots[0], "labels": "mixed", "shards": 4}
    run_workflow(folder, {"cohort": cohort, "normalisation": dict(normalisation)}, ["normalise"])
    path = folder / "results/cohort/manifest.tsv"
    manifest = read_manifest(path)
    for line in manifest_summary(manifest, path):
        print(line, flush=True)
    shards = sorted((folder / "results/normalised").iterdir())
    return {
        option: [find_case(shards, case) for case in cases] for option, cases in usable_cases(manifest, names).items()
    }


def case_names(cohorts: Mapping[str, Path]) -> dict[str, list[str]]:
    """Return the names of the cases below each folder, by option of the command line.

    Raises:
        UserError: a folder is missing or has no cases, or a case is in several.
    """
    for option, root in cohorts.items():
        if not root.is_dir():
            raise UserError(f"{option}: there is no folder {root}; correct the path")
    base, below, _ = locate_roots([root.resolve() for root in cohorts.values()], TASK)
    found = {
        option: [case.case for case in discover_cases(base / part, TASK, option)]
        for option, part in zip(cohorts, below, strict=True)
    }
    _require_disjoint(found, "case")
    return found


def usable_cases(manifest: pd.DataFrame, names: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the usable cases of each option.

    Args:
        manifest: from `read_manifest`.
        names: names of all cases, by option.

    Raises:
        UserError: an option has no usable cases, or a patient is in several.
    """
    usable = manifest[manifest["usable"]].set_index("case")["patient"]
    found = {option: [case for case in cases if case in usable.index] for option, cases in names.items()}
    for option, cases in found.items():
        if not cases:
            raise UserError(f"{option}: none of its {len(names[option])} cases is usable; see the problems above")
    _require_disjoint({option: list(usable[cases]) for option, cases in found.items()}, "patient")
    return found


def _require_disjoint(found: Mapping[str, Sequence[str]], kind: str) -> None:
    """Raise UserError if two options share a name."""
    options: dict[str, str] = {}
    for option, names in found.items():
        for name in names:
            other = options.setdefault(name.casefold(), option)
            if other != option:
                raise UserError(
                    f"the {kind} {name} is in the folders of {other} and {option}; what was trained on cannot be a "
                    "test: remove it from one of them"
                )


def text_digest(text: str) -> str:
    """Return 12 hexadecimal digits that differ for different texts."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def simulator_digest() -> str:
    """Return the digest of the code that simulates cases."""
    scripts = REPOSITORY / "scripts"
    return CodeDigests(scripts).digest(scripts / "tumorseg/synthetic/simulator.py")


def prepare_synthetic(folder: Path, normalisation: Mapping[str, Any], number: int) -> list[Path]:
    """Simulate the synthetic cases of a recipe, as the workflow does.

    Those that exist are kept, unless the normalisation or the code that simulates cases has changed.
    """
    folder /= f"synthetic-{text_digest(yaml.safe_dump([dict(normalisation), simulator_digest()]))}"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{case_name(0, index)}.safetensors" for index in range(number)]
    missing = [index for index, path in enumerate(paths) if not path.exists()]
    if missing:
        print(f"simulating {len(missing)} synthetic cases, which is not part of the CPU time", flush=True)
    list(write_pool(folder, normalisation, TASK, 0, missing, processes=2))
    return paths
