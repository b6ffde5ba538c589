"""Deleted results are restored, or the run names them with the command that restores them."""

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.workflow import Workflow

pytestmark = pytest.mark.release


@pytest.fixture
def run(finished, tmp_path):
    return finished.copy(tmp_path / "run")


def results(run: Workflow) -> list[str]:
    """Return all results without logs, benchmarks and hidden files."""
    names = [str(path.relative_to(run.folder)) for path in sorted(run.results.rglob("*")) if path.is_file()]
    return [name for name in names if "/logs/" not in name and "/benchmarks/" not in name and "/." not in name]


def plan_without(run: Workflow, name: str, *targets: str) -> str:
    """Return the output of a dry run while one file is missing."""
    path, aside = run.folder / name, run.folder / "aside"
    path.rename(aside)
    try:
        return run.run(*targets, options=("--dry-run", "--printshellcmds")).stdout
    finally:
        aside.rename(path)


def unnoticed(run: Workflow, names: list[str], *targets: str) -> list[str]:
    """Return the files whose deletion a dry run does not notice."""
    return [name for name in names if not is_noticed(name, plan_without(run, name, *targets))]


def is_noticed(name: str, output: str) -> bool:
    """Return whether the output names a file, or a folder and the file that it lacks."""
    path = Path(name)
    return name in output or any(f"{folder} lacks {path.relative_to(folder)}" in output for folder in path.parents)


def test_every_deleted_file_is_noticed(finished, tmp_path):
    runs = [finished.copy(tmp_path / str(number)) for number in range(2)]
    names = results(finished)
    with ThreadPoolExecutor(len(runs)) as pool:
        found = list(pool.map(unnoticed, runs, [names[0::2], names[1::2]]))
    assert len(names) > 60
    assert [name for part in found for name in part] == []


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("cohort/manifest.tsv", ["manifest.tsv is missing; to make it again: snakemake validate"]),
        ("cohort/splits.tsv", ["splits.tsv is missing; to make it again: snakemake split"]),
        ("training/fold-0/data.json", ["snakemake results/training/fold-0/data.json"]),
    ],
)
def test_the_printed_command_restores_the_file_and_nothing_is_retrained(run, name, lines):
    (run.results / name).unlink()
    output = run.succeed()
    assert all(line in output for line in lines)
    assert "Nothing to be done" in output
    run.succeed(lines[0].split()[-1])
    assert (run.results / name).exists()
    output = run.succeed()
    assert "missing" not in output
    assert "Nothing to be done" in output


def test_a_deleted_validation_result_is_restored_by_the_printed_target(run):
    name = next((run.results / "cohort/verdicts").iterdir())
    name.unlink()
    assert f"{name.relative_to(run.folder)} is missing" in run.succeed()
    run.succeed("validate")
    assert "Nothing to be done" in run.succeed()


def test_a_deleted_prediction_is_restored_without_training(run):
    prediction = next((run.results / "predictions/fold-0").glob("*.nii.gz"))
    content = prediction.read_bytes()
    prediction.unlink()
    planned = run.planned()
    assert (planned["predict"], planned["train_epoch"]) == (1, 0)
    run.succeed("evaluate")
    assert prediction.read_bytes() == content
    assert run.planned("evaluate") == Counter()


def test_a_file_that_was_missing_during_a_dry_run_is_not_made_again(run):
    prediction = next((run.results / "predictions/fold-0").glob("*.nii.gz"))
    assert "predict" in plan_without(run, str(prediction.relative_to(run.folder)))
    assert run.planned() == Counter()
    assert run.planned(options=("--config", "prediction={probabilities: true}"))["predict"] == 1
    assert run.planned() == Counter()


def test_masks_and_pictures_of_patients_are_restored(finished, tmp_path):
    run = Workflow(tmp_path / "patients")
    run.configure({"cohort": {"root": "nowhere"}, "demo": None, "segment": {"cases": "patients"}})
    shutil.copytree(finished.results / "model", run.results / "model")
    case = "BraTS-GLI-90001-000"
    shutil.copytree(finished.folder / "cohort" / case, run.folder / "patients" / case)
    run.succeed("segment")
    names = [name for name in results(run) if "/segment" in name]
    assert len(names) == 12
    assert unnoticed(run, names, "segment") == []
    (run.results / f"segmentations/{case}.nii.gz").unlink()
    assert run.planned("segment") == Counter(segment=1)
    run.succeed("segment")
    assert run.planned("segment") == Counter()
    Path(run.results, "segmentations/volumes.tsv").unlink()
    assert run.planned("segment") == Counter(segment=1)
