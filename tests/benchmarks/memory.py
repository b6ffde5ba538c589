"""The peak memory of jobs that validate and normalise all real cases."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.benchmarks.timing import Figure
from tests.support.builders import REPOSITORY
from tests.support.case_files import TASK
from tumorseg.cli.console import job_record_path
from tumorseg.cohort.case_files import case_to_json
from tumorseg.cohort.discovery import discover_cases
from tumorseg.io.files import read_json


def figures(root: Path) -> Iterator[Figure]:
    """Yield MB from the records of the jobs."""
    configuration = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "validation_results.json")
        cohort = {key: configuration["cohort"][key] for key in ("labels", "shape")}
        cases = [case_to_json(case) for case in discover_cases(root, TASK)]
        yield _peak("validate_batch", root, cohort, results, ["--cases", *cases, "--previews", f"{folder}/previews"])
        settings = configuration["normalisation"]
        yield _peak(
            "normalise_batch", root, settings, Path(folder, "normalised"), ["--validation-results", str(results)]
        )


def _peak(script: str, root: Path, settings: dict, output: Path, options: list[str]) -> Figure:
    log = output.with_suffix(".log")
    command = [sys.executable, str(REPOSITORY / "scripts" / f"{script}.py"), "--root", str(root), *options]
    command += ["--settings", json.dumps(settings), "--output", str(output), "--log", str(log)]
    subprocess.run(command, check=True, capture_output=True)
    mebibytes = read_json(job_record_path(log))["peak_memory_mib"]
    return Figure(f"peak memory of {script}", mebibytes * 2**20 / 1e6, "MB", most=700)
