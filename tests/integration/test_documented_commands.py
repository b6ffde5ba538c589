"""Run the commands of the documentation in a copy of the repository with a tiny cohort."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import networkx
import pytest
import yaml

from tests.integration.workflow import TINY, Workflow, copy_repository
from tests.support import documents
from tests.support.builders import REPOSITORY

ACTIVATE = ". .venv/bin/activate"
NOT_RUN_HERE = {
    "make demo",  # CI runs make; test_demo.py runs the demo
    "make docs",  # repository/test_documents.py compares its output
    "make test",  # CI runs this and the following
    "make test-slow",
    "make test-release",
    "make test-slurm",
    "make lint",
    "make benchmark",  # run by hand
    "make gpu-check",  # needs a GPU; test_gpu_check.py runs its reduced form
}
"""Commands that this file does not run."""


@pytest.fixture(scope="module")
def checkout(finished, tmp_path_factory):
    """A checkout after the demo, with data, new patients, masks, and settings that train in seconds."""
    folder = copy_repository(tmp_path_factory.mktemp("user") / "tumorseg")
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    for section, content in TINY.items():
        if section != "demo":
            settings[section] |= {key: value for key, value in content.items() if key != "root"}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    (folder / "workflow/demo.yaml").write_text(yaml.safe_dump(TINY))
    shutil.copytree(finished.folder, folder / "demo", symlinks=True)
    for name in ("results", ".snakemake"):  # each page can be tested alone
        shutil.copytree(finished.folder / name, folder / name, symlinks=True, dirs_exist_ok=True)
    shutil.copytree(finished.folder / "cohort", folder / "data")
    patient = next(path for path in sorted((folder / "data").iterdir()) if len(list(path.iterdir())) == 5)
    shutil.copytree(patient, folder / "patients" / patient.name, ignore=shutil.ignore_patterns("*-seg.nii.gz"))
    shutil.copytree(finished.results / "predictions/fold-0", folder / "masks")
    (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    return folder


def run(folder: Path, command: str) -> None:
    completed = subprocess.run(
        ["bash", "-c", f"{ACTIVATE} && {command}"],
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, f"{command}\n{completed.stdout[-4000:]}"


def commands_by_page() -> dict[str, list[str]]:
    """Return the commands to run by page. A command on several pages belongs to the first."""
    found: dict[str, str] = {}
    for page in documents.PAGES:
        for command in documents.commands(page):
            found.setdefault(command, page)
    run_here = {command: page for command, page in found.items() if command not in (*NOT_RUN_HERE, ACTIVATE)}
    return {page: [line for line, of in run_here.items() if of == page] for page in run_here.values()}


COMMANDS = commands_by_page()
OUTPUTS = {
    "README.md": ("results/report.html", "results/segmentations/volumes.tsv", "results/scores/summary.json"),
    "workflow/docs/data.md": ("samples.tsv",),
    "workflow/docs/results.md": ("snakemake-report.html",),
    "workflow/docs/tutorial.md": ("demo/results/segmentations/volumes.tsv", "demo/results/scores/cases.csv"),
}
"""Files that the commands write, according to the pages."""
MISTAKES = re.findall(r"^\| `(--[^`]+)` \| `([^`]+)` \|", documents.text_of("workflow/docs/problems.md"), re.MULTILINE)
"""Mistakes on the command line that the page of problems lists, each with the end of Snakemake's message."""


@pytest.mark.slow
@pytest.mark.parametrize("page", COMMANDS)
def test_each_command_of_a_page_succeeds(checkout, page):
    for name, text in documents.files(page).items():
        (checkout / name).write_text(text)
    for line in COMMANDS[page]:
        run(checkout, line)
    assert [name for name in OUTPUTS.get(page, ()) if not (checkout / name).is_file()] == []


@pytest.mark.slow
@pytest.mark.parametrize(("written", "message"), MISTAKES)
def test_a_mistake_on_the_command_line_ends_with_the_message_of_the_page(written, message):
    command = f"{shlex.quote(sys.executable)} -m snakemake --dry-run {written} 2>&1"
    completed = subprocess.run(["bash", "-c", command], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=False)
    assert completed.returncode != 0
    assert completed.stdout.strip().endswith(message)


def test_the_graph_of_the_documentation_matches_the_rules(tmp_path):
    """The graph has one node for all rules of figures and pictures, and no edges that follow from others."""
    drawn = documents.example("workflow/docs/results.md", "mermaid")
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
