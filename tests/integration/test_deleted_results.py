"""Every result that is deleted is made again, or the run names it and says how to make it again."""

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.workflow import Workflow

pytestmark = pytest.mark.slow


@pytest.fixture
def run(finished, tmp_path):
    return finished.copy(tmp_path / "run")


def results(run: Workflow) -> list[str]:
    """All results, less logs, benchmarks and Snakemake's own marks."""
    names = [str(path.relative_to(run.folder)) for path in sorted(run.results.rglob("*")) if path.is_file()]
    return [name for name in names if "/logs/" not in name and "/benchmarks/" not in name and "/." not in name]


def without(run: Workflow, name: str, *targets: str) -> str:
    """What a dry run says while one file is missing, with the outputs of each job."""
    path, aside = run.folder / name, run.folder / "aside"
    path.rename(aside)
    try:
        return run.run(*targets, options=("--dry-run", "--printshellcmds")).stdout
    finally:
        aside.rename(path)


def unnoticed(run: Workflow, names: list[str], *targets: str) -> list[str]:
    """The files whose deletion neither plans a job that writes them nor is named."""
    return [name for name in names if not is_noticed(name, without(run, name, *targets))]


def is_noticed(name: str, said: str) -> bool:
    """Whether a run names a file, or its folder and the file that it lacks."""
    return name in said or f"{Path(name).parent} lacks {Path(name).name}" in said


def test_every_file_is_noticed(finished, tmp_path):
    runs = [finished.copy(tmp_path / str(number)) for number in range(2)]
    names = results(finished)
    with ThreadPoolExecutor(len(runs)) as pool:
        found = list(pool.map(unnoticed, runs, [names[0::2], names[1::2]]))
    assert len(names) > 60
    assert [name for part in found for name in part] == []


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("cohort/manifest.tsv", ["manifest.tsv is missing; to make it again: snakemake --cores all validate"]),
        ("cohort/splits.tsv", ["splits.tsv is missing; to make it again: snakemake --cores all split"]),
        ("training/fold-0/data.json", ["snakemake --cores all results/training/fold-0/data.json"]),
    ],
)
def test_what_is_named_comes_back_as_the_line_says_and_nothing_trains_again(run, name, lines):
    (run.results / name).unlink()
    said = run.succeed()
    assert all(line in said for line in lines)
    assert "Nothing to be done" in said
    run.succeed(lines[0].split()[-1])
    assert (run.results / name).exists()
    said = run.succeed()
    assert "missing" not in said
    assert "Nothing to be done" in said


def test_a_validation_result_comes_back_by_the_target_that_is_named(run):
    name = next((run.results / "cohort/verdicts").iterdir())
    name.unlink()
    assert f"{name.relative_to(run.folder)} is missing" in run.succeed()
    run.succeed("validate")
    assert "Nothing to be done" in run.succeed()


def test_a_prediction_that_is_deleted_comes_back_once(run):
    prediction = next((run.results / "predictions/fold-0").glob("*.nii.gz"))
    content = prediction.read_bytes()
    prediction.unlink()
    planned = run.planned()
    assert (planned["predict"], planned["train_epoch"]) == (1, 0)
    run.succeed("evaluate")
    assert prediction.read_bytes() == content
    assert run.planned("evaluate") == Counter()


def test_what_was_away_while_a_run_was_planned_is_not_made_again(run):
    prediction = next((run.results / "predictions/fold-0").glob("*.nii.gz"))
    assert "predict" in without(run, str(prediction.relative_to(run.folder)))
    assert run.planned() == Counter()
    assert run.planned(options=("--config", "prediction={probabilities: true}"))["predict"] == 1
    assert run.planned() == Counter()


def test_masks_and_pictures_of_patients_come_back(finished, tmp_path):
    run = Workflow(tmp_path / "clinic")
    run.configure({"cohort": {"root": "nowhere"}, "demo": None, "segment": {"cases": "patients"}})
    shutil.copytree(finished.results / "model", run.results / "model")
    case = "BraTS-GLI-90001-000"
    shutil.copytree(finished.folder / "cohort" / case, run.folder / "patients" / case)
    run.succeed("segment")
    names = [name for name in results(run) if "/segment" in name]
    assert len(names) == 7
    assert unnoticed(run, names, "segment") == []
    (run.results / f"segmentations/{case}.nii.gz").unlink()
    assert run.planned("segment") == Counter(segment=1)
    run.succeed("segment")
    assert run.planned("segment") == Counter()
    Path(run.results, "segmentations/volumes.tsv").unlink()
    assert run.planned("segment") == Counter(segment=1)
