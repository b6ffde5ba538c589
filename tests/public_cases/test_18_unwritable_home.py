"""Case 18: an unwritable home folder (see README.md of the case)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.public_cases import generate_case
from tests.support.builders import REPOSITORY


@pytest.mark.slow
@pytest.mark.parametrize("variables", [{}, {"XDG_CACHE_HOME": "cache"}], ids=["no-cache-folder", "cache-folder"])
def test_the_workflow_needs_no_home_folder(tmp_path, variables):
    data = generate_case("18", tmp_path)
    own = tmp_path / "own.yaml"
    own.write_text(f"cohort: {{root: {data}/cohort}}\n")
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": "/proc/1"}
    environment |= {name: str(tmp_path / value) for name, value in variables.items()}
    command = ["snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), "--directory", str(tmp_path / "run")]
    command += ["--cores", "1", "validate", "figure_cohort_overview", "--configfile", str(own)]
    completed = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr[-4000:]
    assert "matplotlib" not in completed.stderr.replace(os.fspath(tmp_path), "").lower()
    assert (tmp_path / "run/results/cohort/manifest.tsv").read_text().count("\ttrue\t") == 2
    assert (tmp_path / "run/results/figures/cohort_overview.png").exists()
