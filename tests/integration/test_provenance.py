"""The provenance files describe the inputs, code and settings of a run, and are enough to repeat it."""

import json
import subprocess
from collections import Counter
from hashlib import sha256
from importlib.metadata import version

import pandas as pd
import pytest
import yaml
from xxhash import xxh3_128_hexdigest

from tests.integration.workflow import Workflow


@pytest.fixture(scope="module")
def folder(finished):
    return finished.results / "provenance"


@pytest.fixture(scope="module")
def crate(finished):
    """The entities of the RO-Crate, by identifier."""
    content = json.loads((finished.results / "ro-crate-metadata.json").read_text())
    assert content["@context"][-1].endswith("/workflow-run/context")  # this context defines sha256
    return {entity["@id"]: entity for entity in content["@graph"]}


def test_every_raw_file_is_listed_with_its_digest(finished, folder):
    table = pd.read_csv(folder / "raw_files.tsv", sep="\t")
    for _, row in table.iterrows():
        content = (finished.folder / "cohort" / row["path"]).read_bytes()
        assert (row["bytes"], row["xxh3_128"]) == (len(content), xxh3_128_hexdigest(content))
    on_disk = {str(path.relative_to(finished.folder / "cohort")) for path in finished.folder.glob("cohort/*/*")}
    assert set(table["path"]) == on_disk  # including truncated files


def test_every_mask_is_listed_with_its_digest(finished, folder):
    table = pd.read_csv(folder / "masks.tsv", sep="\t", index_col="path")
    masks = {str(path.relative_to(finished.results)): path for path in finished.results.glob("predictions/*/*.nii.gz")}
    assert table["sha256"].to_dict() == {name: sha256(path.read_bytes()).hexdigest() for name, path in masks.items()}
    assert len(table) > 0


def test_a_run_with_the_saved_configuration_has_nothing_to_do(finished, folder, tmp_path):
    run = finished.copy(tmp_path / "run")
    (run.folder / "tiny.yaml").write_bytes((folder / "configuration.yaml").read_bytes())
    assert run.planned() == Counter()
    assert yaml.safe_load((folder / "configuration.yaml").read_text())["checkpoint"] == {"select": "last"}


def test_every_job_is_listed_with_its_time_and_memory(folder, tmp_path):
    jobs = pd.read_csv(folder / "jobs.tsv", sep="\t")
    planned = Workflow(tmp_path)
    planned.configure()
    assert Counter(jobs["rule"]) == planned.planned() - Counter(provenance=1)
    assert (jobs["seconds"] >= 0).all()
    assert (jobs["peak_memory_mib"] > 10).all()
    trained = jobs[jobs["rule"] == "train_epoch"]
    assert set(trained["computed_in"]) == {"fp32 on the CPU with 1 thread"}


def test_commit_code_and_models_are_recorded(finished, folder):
    run = json.loads((folder / "run.json").read_text())
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=finished.repository, capture_output=True, text=True, check=False
    )
    assert run["commit"].startswith(head.stdout.strip() or "unknown")
    assert run["models"] == [json.loads((finished.results / "training/fold-0/selection.json").read_text())]
    assert {"train_epoch", "evaluate"} <= set(run["code"])


def test_the_packages_are_in_a_requirements_file(folder):
    lines = (folder / "requirements.txt").read_text().splitlines()
    assert f"nibabel=={version('nibabel')}" in lines
    assert all(line.count("==") == 1 for line in lines)


def test_the_crate_has_the_digests_of_its_files(finished, crate):
    files = [entity for entity in crate.values() if entity["@type"] == "File"]
    assert {"report.html", "model/fold-0.safetensors", "evaluation/summary.json"} <= {file["@id"] for file in files}
    for file in files:
        assert file["sha256"] == sha256((finished.results / file["@id"]).read_bytes()).hexdigest()


def test_the_crate_describes_a_run_of_this_workflow(crate):
    run, root = crate["#run"], crate["./"]
    assert run["@type"] == "CreateAction"
    assert run["instrument"] == root["mainEntity"] == {"@id": "provenance/Snakefile"}
    assert {"@id": "https://w3id.org/ro/wfrun/workflow/0.5"} in root["conformsTo"]
    assert {"@id": "provenance/configuration.yaml"} in run["object"]
    assert {"@id": "report.html"} in run["result"]
