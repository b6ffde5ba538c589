"""The workflow imported as a module by another Snakefile, as in the documentation."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.workflow import TINY
from tests.support.builders import REPOSITORY
from tests.support.documents import example

pytestmark = pytest.mark.slow

MODULE = """
module tumorseg:
    snakefile: "tumorseg/Snakefile"
    config: config["tumorseg"]
use rule * from tumorseg as tumorseg_*
"""
PAGE = "workflow/docs/module.md"
DEMO = {"other": 1, "tumorseg": TINY}


def snakemake(
    folder: Path, snakefile: str, *options: str, config: dict[str, Any] = DEMO
) -> subprocess.CompletedProcess[str]:
    """Run a Snakefile beside a link to this repository, with another working directory."""
    (folder / "project").mkdir(exist_ok=True)
    (folder / "project/Snakefile").write_text(snakefile)
    if not (folder / "project/tumorseg").exists():
        (folder / "project/tumorseg").symlink_to(REPOSITORY)
    (folder / "run").mkdir(exist_ok=True)
    (folder / "run/config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(folder / "project/Snakefile"), "--cores", "2"]
    return subprocess.run(
        [*command, "--directory", str(folder / "run"), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_all_rules_are_planned_with_the_prefix(tmp_path):
    output = snakemake(tmp_path, example(PAGE, "python"), "--dry-run").stdout
    planned = set(re.findall(r"^ *rule (\w+):$", output, re.MULTILINE))
    assert {"tumorseg_demo_cohort", "tumorseg_train_epoch", "tumorseg_figure_scores", "worst_cases"} <= planned, output
    assert {name for name in planned if not name.startswith("tumorseg_")} == {"worst_cases", "all"}
    assert "localrules" not in output


def test_missing_keys_have_defaults_and_mistakes_are_reported(tmp_path):
    output = snakemake(
        tmp_path, example(PAGE, "python"), "--dry-run", config=yaml.safe_load(example(PAGE, "yaml"))
    ).stdout
    assert "cohort.root: cannot list data" in output
    output = snakemake(
        tmp_path, example(PAGE, "python"), "--dry-run", config={"tumorseg": {"training": {"epoch": 3}}}
    ).stdout
    assert "training.epoch: there is no such key" in output


def test_an_imported_rule_can_be_changed(tmp_path):
    changed = "use rule predict from tumorseg as tumorseg_predict with:\n    threads: 2\n"
    output = snakemake(tmp_path, f'configfile: "config.yaml"\n{MODULE}{changed}', "--dry-run", "tumorseg_verify").stdout
    assert "tumorseg_select_checkpoint" in output, output
    assert "is already running Snakemake in this folder" not in output


def test_single_rules_can_be_imported(tmp_path):
    single = MODULE.replace("rule *", "rule demo_cohort, validate_batch, manifest")
    output = snakemake(tmp_path, f'configfile: "config.yaml"\n{single}', "--dry-run", "tumorseg_manifest").stdout
    assert re.search(r"^total +6$", output, re.MULTILINE), output


@pytest.mark.parametrize("modifier", ['prefix: "sub"', 'replace_prefix: {"results": "r"}'])
def test_prefixes_of_results_are_refused(modifier, tmp_path):
    snakefile = MODULE.replace("    config:", f"    {modifier}\n    config:")
    completed = snakemake(tmp_path, f'configfile: "config.yaml"\n{snakefile}', "--dry-run")
    assert completed.returncode != 0
    assert "module: prefix and replace_prefix do not work" in completed.stdout


def test_a_second_import_with_other_settings_is_refused(tmp_path):
    other = MODULE.replace("tumorseg:", "other:").replace("from tumorseg as tumorseg", "from other as other")
    other = other.replace('config["tumorseg"]', '{**config["tumorseg"], "cohort": {"root": "elsewhere"}}')
    completed = snakemake(tmp_path, f'configfile: "config.yaml"\n{MODULE}{other}', "--dry-run")
    assert completed.returncode != 0
    assert "imported twice, with different settings" in completed.stdout


@pytest.mark.release
def test_the_module_has_the_results_of_the_workflow_alone(finished, tmp_path):
    completed = snakemake(tmp_path, example(PAGE, "python"))
    assert completed.returncode == 0, completed.stdout[-8000:]
    results = tmp_path / "run/results"
    for name in ("model/fold-0.safetensors", "evaluation/cases.csv"):
        assert (results / name).read_bytes() == (finished.results / name).read_bytes()
    assert (results / "report.html").is_file()
    assert (tmp_path / "run/worst_cases.csv").read_text().startswith("case,")
    assert "Nothing to be done" in snakemake(tmp_path, example(PAGE, "python")).stdout
