"""Mistakes of users are reported with a clear message before any job starts."""

import os

import pytest
import torch

from tests.integration.workflow import Workflow
from tumorseg.cli.startup import lock_run_folder


@pytest.fixture
def workflow(tmp_path):
    return Workflow(tmp_path / "run")


def refused(workflow: Workflow, *targets: str) -> str:
    """Return the output of a run that is refused before any job starts."""
    completed = workflow.run(*targets)
    assert completed.returncode != 0
    assert "Traceback" not in completed.stdout
    assert not workflow.results.exists()
    return completed.stdout


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"training": {"epochz": 3}}, "training.epochz: there is no such key; did you mean epochs?"),
        (
            {"training": {"epochs": "three"}},
            "training.epochs: 'three' is not allowed; it has to be a whole number from 1 to",
        ),
        (
            {"training": {"input_shape": [16, 20, 16]}},
            "training.input_shape[1]: 20 is not allowed; with 3 down-samplings (model.depth) it has to be a",
        ),
        ({"cohort": {"validation_fraction": float("nan")}}, "cohort.validation_fraction: .nan is not allowed"),
        ({"training": {"epochs": 9999}}, "set training.epochs_per_checkpoint to 4 or more"),
        ({"training": None}, "training: null is not allowed; it has to be a section with the keys start_from, epochs"),
        (
            {"cohort": {"folds": 9}},
            "cohort.folds: 9 folds need at least 9 patients, but cohort holds 8 case folders",
        ),
        ({"report": {"viewer_cases": ["BraTS-GLI-1"]}}, "report.viewer_cases: cohort has no case folder BraTS-GLI-1; "),
        (
            {"figures": {"colours": {"label_1": "#112233", "label_2": "#aabbcc", "label_4": "#AABBCC"}}},
            "figures.colours.label_4: #AABBCC is already the colour of label_2",
        ),
        (
            {"figures": {"colours": {"label_1": "#56B4E9"}}},
            "figures.colours.label_1: #56B4E9 is already the colour of label_2",
        ),
        ({"cohort": {"task": "brats"}}, "cohort.task: there is no task brats; it has to be one of brats-africa"),
        ({"cohort": {"labels": "brats2024"}}, "cohort.labels: brats2024 is not allowed; with the task"),
        ({"cohort": {"label_map": {True: 2}}}, "cohort.label_map: true is not a mask value"),
        ({"cohort": {"label_map": {1: 3}}}, "cohort.label_map: 3 is not a label of the task brats-glioma"),
    ],
)
def test_a_mistake_in_the_configuration_is_reported_with_its_key(workflow, changes, sentence):
    workflow.configure(changes)
    assert sentence in refused(workflow)


def test_a_duplicate_key_is_reported_with_its_lines(workflow):
    workflow.configure()
    (workflow.folder / "tiny.yaml").write_text("training: {epochs: 3}\ntraining: {threads: 1}\n")
    assert "tiny.yaml: training: this key is in line 1 and again in line 2" in refused(workflow)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("root=elsewhere",), "did you mean cohort.root? On the command line: --config cohort='{root: elsewhere}'"),
        (("data=a", "cohort={root: b}"), "--config sets both data (a) and cohort.root (b): leave one out"),
        (("training={epochs: many}",), "training.epochs: 'many' is not allowed"),
        (("patients=new",), "--config patients: only the target segment reads it; write: snakemake segment"),
        (("cohort={label_map: {1: 2, x: 1}}",), "cohort.label_map: x is not a mask value"),
        (("cohort={label_map: {1: 2, 256: 4}}",), "cohort.label_map: 256 is not a mask value"),
        (("cohort={label_map: {1: 2, 2: one}}",), "cohort.label_map.2: 'one' is not allowed; it has to"),
        (
            ("score={label_map: [{1: 2}, null, {2: 1}], predictions: [a, b]}",),
            "score.label_map: the list has 3",
        ),
        (("prediction={remove_components: {RC: 50}}",), "prediction.remove_components.RC: the task"),
    ],
)
def test_a_mistake_on_the_command_line_is_reported(workflow, given, sentence):
    workflow.configure()
    completed = workflow.run(options=("--config", *given))
    assert completed.returncode != 0
    assert sentence in completed.stdout
    assert "Traceback" not in completed.stdout


def test_a_mistake_in_a_task_file_is_reported_with_the_file(workflow):
    workflow.configure({"cohort": {"task": "own.yaml"}})
    (workflow.folder / "own.yaml").write_text("title: mine\nlabels: {1: {title: a, meaning: fat, colour: red}}\n")
    output = refused(workflow)
    assert "cohort.task: own.yaml: labels.1.meaning: 'fat' is not allowed; it has to be one of necrosis" in output
    assert "cohort.task: own.yaml: channels: this key is missing" in output


def test_numbers_on_the_command_line_equal_those_in_the_file(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    training = "training={epochs: 3, learning_rate: 0.01, input_shape: [16, 16, 16], deterministic: false}"
    assert run.planned(options=("--config", training)) == {}
    assert run.planned(options=("--config", training.replace("0.01", "1e-3")))["train_epoch"] == 3


def test_a_second_run_in_the_same_folder_is_reported(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    assert lock_run_folder(run.folder / ".snakemake/running") is None  # this process now holds the lock
    output = run.run("validate", options=("--dry-run",)).stdout
    assert f"Process {os.getpid()} is already running Snakemake in this folder" in output


@pytest.mark.parametrize("kind", ["FIFO", "folder", "huge"])
def test_a_split_file_that_is_not_a_table_is_reported_and_not_read(workflow, kind):
    workflow.configure({"cohort": {"split_file": "own.tsv"}})
    own = workflow.folder / "own.tsv"
    if kind == "FIFO":
        os.mkfifo(own)
    elif kind == "folder":
        own.mkdir()
    else:
        with own.open("wb") as file:
            file.truncate(100 * 10**9)
    output = refused(workflow)
    assert "cohort.split_file: own.tsv" in output
    assert {"FIFO": "this is a FIFO", "folder": "this is a folder", "huge": "has 100,000,000,000 bytes"}[kind] in output


def test_a_missing_cohort_folder_is_reported(workflow):
    workflow.configure({"demo": None, "cohort": {"root": "nowhere"}})
    output = refused(workflow)
    assert "cohort.root" in output
    assert "nowhere" in output


def test_an_empty_cohort_is_reported(workflow):
    workflow.configure({"demo": None})
    (workflow.folder / "cohort").mkdir()
    assert "cohort.root" in refused(workflow, "validate")


@pytest.fixture(scope="module")
def validated(finished, tmp_path_factory):
    """A run with validated cases of its own instead of the demo."""
    run = finished.copy(tmp_path_factory.mktemp("validated") / "run")
    run.configure({"demo": None})
    run.succeed("validate")
    return run


@pytest.mark.parametrize("root", [".", "cohort/BraTS-GLI-90001-000"])
def test_a_root_one_level_too_high_or_too_low_is_reported_and_corrected(validated, tmp_path, root):
    run = validated.copy(tmp_path / "run")
    run.configure({"cohort": {"root": root}, "demo": None})
    output = run.run("validate", options=("--dry-run",)).stdout
    assert "cohort.root: " in output
    assert "; using " in output
    assert "Nothing to be done" in output


def test_a_missing_split_file_is_reported(workflow):
    workflow.configure({"cohort": {"split_file": "nowhere.tsv"}})
    assert "cohort.split_file: there is no file nowhere.tsv; correct the path, or set it to null" in refused(workflow)
    assert workflow.planned("validate")["validate_batch"] > 0  # this target needs no split


def test_the_split_that_the_workflow_writes_is_refused_as_split_file(workflow):
    workflow.configure({"cohort": {"split_file": "results/cohort/splits.tsv"}})
    table = workflow.results / "cohort/splits.tsv"
    table.parent.mkdir(parents=True)
    table.write_text("case\tfold\n")
    completed = workflow.run(options=("--dry-run",))
    assert completed.returncode != 0
    assert "results/cohort/splits.tsv is written by the rule split; copy it and use the copy" in completed.stdout


def test_a_split_file_is_found_and_part_of_the_plan(workflow):
    workflow.configure({"cohort": {"split_file": "own split.csv"}})
    (workflow.folder / "own split.csv").write_text("case,fold\n")
    planned = workflow.run("split", options=("--dry-run", "--printshellcmds")).stdout
    assert "--settings '{\"folds\": 1}' --split-file 'own split.csv' --output" in planned


def test_a_broken_link_drops_only_its_case(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    case = "BraTS-GLI-90002-000"
    link = run.folder / f"cohort/{case}/{case}-t1n.nii.gz"
    link.unlink()
    link.symlink_to(tmp_path / "nowhere")
    run.configure({"demo": None})
    run.succeed("validate")
    manifest = (run.results / "cohort/manifest.tsv").read_text()
    assert f"{case}\tBraTS-GLI-90002\tfalse\tunreadable" in manifest
    assert manifest.count("\ttrue\t") == 4


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_missing_gpu_is_reported_before_data_are_loaded(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    run.configure({"training": {"device": "cuda"}})
    completed = run.run("train")
    assert completed.returncode != 0
    assert "train_epoch fold 0: training.device is cuda, but torch sees no GPU on this machine" in completed.stdout
    assert "checking training case" not in completed.stdout
