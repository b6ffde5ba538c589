"""After an interruption at any stage, the next run completes with the results of an uninterrupted run."""

import os
import random
import re
import shutil
import time
from pathlib import Path

import pytest

from tests.integration.interruptions import INTERRUPTIONS, start, unlock
from tests.integration.result_digests import result_digests
from tests.integration.workflow import Workflow

pytestmark = pytest.mark.slow

KILLS = 24
# In the order of a run. The first, without scripts, is the start of Snakemake itself.
STAGES = (
    (),
    ("demo_cohort", "validate_batch"),
    ("normalise_batch",),
    ("manifest", "cohort_page", "check_cohort", "split"),
    ("train_epoch",),
    ("verify_checkpoint", "select_checkpoint"),
    ("predict", "evaluate"),
    ("figure_scores", "figure_gallery", "case_strips", "viewer_cases", "model_card", "report"),
)


def copy_without(finished: Workflow, folder: Path, pattern: str) -> Workflow:
    """Copy the finished run without some results."""
    run = finished.copy(folder)
    for path in list(run.results.glob(pattern)):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return run


def assert_completes(run: Workflow, finished: Workflow, *targets: str) -> None:
    """Check that the next run completes with the results of the finished run, and leaves nothing to do."""
    unlock(run)
    running = start(run, *targets)
    assert running.process.wait() == 0, running.output()[-6000:]
    assert differing_results(run, finished) == set()
    assert not run.planned(*targets)


def differing_results(run: Workflow, finished: Workflow) -> set[str]:
    """Return the results that differ between two runs."""
    return {name for name, _ in result_digests(run).items() ^ result_digests(finished).items()}


@pytest.mark.parametrize("kind", ["Ctrl-C", "Snakemake alone"])
def test_jobs_end_with_snakemake_and_the_next_run_completes(finished, tmp_path, kind):
    run = copy_without(finished, tmp_path / "run", "**/*epoch-0003.*")
    running = start(run, "train")
    log = run.results / "logs/train_epoch/fold-0-epoch-0003.log"
    assert running.wait_for(lambda: log.exists() and "checking training case" in log.read_text())
    running.kill(kind)
    assert running.jobs_ended(seconds=30)
    assert "train_epoch fold 0: interrupted" in running.output()
    assert "Traceback" not in running.output()
    assert not list(run.results.rglob(".tmp-*"))
    assert_completes(run, finished, "verify")


@pytest.mark.parametrize("kind", ["Snakemake alone", "all at once"])
def test_an_incomplete_shard_is_not_accepted(finished, tmp_path, kind):
    run = copy_without(finished, tmp_path / "run", "normalised")
    running = start(run, "normalise")
    assert running.wait_for(lambda: list(run.results.glob("normalised/*/*.safetensors")))
    running.kill(kind)
    assert re.search("--unlock|--rerun-incomplete", run.run("normalise").stdout)
    assert_completes(run, finished, "normalise")


@pytest.mark.release
def test_results_after_random_kills_equal_those_of_an_uninterrupted_run(finished, tmp_path):
    seed = int(os.environ.get("TUMORSEG_KILLS", time.time_ns() % 10**6))
    rng, history = random.Random(seed), [f"TUMORSEG_KILLS={seed}"]
    kinds = rng.sample(list(INTERRUPTIONS), len(INTERRUPTIONS))
    interrupted: list[set[str]] = []
    for number in range(KILLS // len(STAGES)):
        run = Workflow(tmp_path / f"run {number}")
        run.configure()
        for index, stage in enumerate(STAGES):
            running = start(run)
            awaited = {script for later in STAGES[index:] for script in later} if stage else set()
            assert running.wait_for(lambda jobs=running.scripts, of=awaited: not of or jobs() & of), history
            time.sleep(rng.uniform(0, 1 if stage else 3))
            kind = kinds[(index + number) % len(kinds)]
            interrupted.append(running.scripts())
            running.kill(kind)
            history.append(f"{kind} at {sorted(interrupted[-1])}")
            if kind != "Snakemake alone":  # its jobs may still run when the next run starts
                assert running.jobs_ended(seconds=30), (history, running.jobs())
            unlock(run)
        running = start(run)
        assert running.process.wait() == 0, (history, running.output()[-6000:])
        assert differing_results(run, finished) == set(), history
        assert not run.planned(), history
    assert sum(map(bool, interrupted)) >= KILLS // 2, history
    assert len(set().union(*interrupted)) >= len(STAGES), history
