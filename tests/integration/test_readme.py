"""The commands of the README, run as a user would run them, in a copy of the repository with a tiny cohort in it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import networkx
import pytest
import yaml

from tests.helpers import REPOSITORY
from tests.integration.workflow import TINY, Workflow, copy_repository

UNTRIED = "# not run by the tests: "
ELSEWHERE = {
    "make demo",  # make itself by CI, what it runs by test_demo.py
    "make test",  # by CI, as the following
    "make test-slow",
    "make test-slurm",
    "make lint",
    "make benchmark",  # by hand: it measures
    "pip install .",  # by test_wheel.py, in an environment of its own
}
PLANNED = ("workflow/small.yaml",)
"""Settings for a training of minutes, which test_real_cases.py runs: here its plan only."""


def commands() -> list[str]:
    """Every command line of the README that can run here, in its order, without comments."""
    found = []
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", (REPOSITORY / "README.md").read_text(), re.MULTILINE | re.DOTALL):
        if not block.strip().startswith(UNTRIED):
            found += [line.split("  #")[0].strip() for line in block.splitlines()]
    return found


@pytest.fixture(scope="module")
def place(finished, tmp_path_factory):
    """A checkout as a user has it, with settings that train in seconds, data, new patients and masks."""
    folder = copy_repository(tmp_path_factory.mktemp("user") / "tumorseg")
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    for section, content in TINY.items():
        if section != "demo":
            settings[section] |= {key: value for key, value in content.items() if key != "root"}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    shutil.copytree(finished.folder / "cohort", folder / "data")
    patient = next(path for path in sorted((folder / "data").iterdir()) if len(list(path.iterdir())) == 5)
    shutil.copytree(patient, folder / "patients" / patient.name, ignore=shutil.ignore_patterns("*-seg.nii.gz"))
    shutil.copytree(finished.results / "predictions/fold-0", folder / "masks")
    (folder / "cohort").symlink_to("data")
    (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    return folder


@pytest.mark.slow
def test_each_command_does_what_the_readme_says(place):
    lines = [line for line in commands() if line not in ELSEWHERE]
    assert len(lines) > 5
    activate = lines.pop(0)
    assert activate == ". .venv/bin/activate"
    for line in lines:
        planned = any(settings in line for settings in PLANNED)
        command = line.replace("--cores all", "--cores all --dry-run") if planned else line
        completed = subprocess.run(
            ["bash", "-c", f"{activate} && {command}"],
            cwd=place,
            env={**os.environ, "HOME": str(place)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert completed.returncode == 0, f"{line}\n{completed.stdout[-4000:]}"
    for left in ("report.html", "segmentations/volumes.tsv", "scores/summary.json"):
        assert (place / "results" / left).is_file()
    assert (place / "snakemake-report.html").is_file()


def test_the_graph_is_that_of_the_rules(tmp_path):
    """With the rules of figures and pictures as one, and edges left out that follow from others."""
    (drawn,) = re.findall(r"^```mermaid\n(.*?)^```", (REPOSITORY / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    workflow = Workflow(tmp_path)
    workflow.configure()
    planned = workflow.run(options=("--rulegraph", "mermaid-js")).stdout
    rules = dict(re.findall(r"(id\d+)\[(\w+)\]", planned))
    pictures = {rule for rule in rules.values() if rule.startswith("figure_")} | {"case_strips", "viewer_cases"}
    names = {node: "figures" if rule in pictures else rule for node, rule in rules.items()}
    edges = [(names[one], names[other]) for one, other in re.findall(r"(id\d+) --> (id\d+)", planned)]
    graph = networkx.DiGraph([(one, other) for one, other in edges if one != other])
    graph.remove_nodes_from(["all", "demo_cohort"])
    assert set(re.findall(r"(\w+) --> (\w+)", drawn)) == set(networkx.transitive_reduction(graph).edges)
