"""Interrupted anywhere, the next run completes, and its results are those of a run that nothing has interrupted."""

import os
import random
import re
import shutil
import time
from pathlib import Path

import pytest

from tests.integration.interruptions import KINDS, start, unlock
from tests.integration.results import content
from tests.integration.workflow import Workflow

pytestmark = pytest.mark.slow

KILLS = 24
# In the order in which they come, each waited for in turn. The first is Snakemake's own start.
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


def without(finished: Workflow, folder: Path, pattern: str) -> Workflow:
    """The finished run less some of its results."""
    run = finished.copy(folder)
    for path in list(run.results.glob(pattern)):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return run


def completes(run: Workflow, finished: Workflow, *targets: str) -> None:
    """Insist that the next run completes, and that it and its results leave nothing to wish for."""
    unlock(run)
    running = start(run, *targets)
    assert running.process.wait() == 0, running.said()[-6000:]
    assert different(run, finished) == set()
    assert not run.planned(*targets)


def different(run: Workflow, finished: Workflow) -> set[str]:
    """The results that are not the same in both runs."""
    return {name for name, _ in content(run).items() ^ content(finished).items()}


@pytest.mark.parametrize("kind", ["Ctrl-C", "Snakemake alone"])
def test_no_job_goes_on_when_snakemake_has_ended_and_the_next_run_completes(finished, tmp_path, kind):
    run = without(finished, tmp_path / "run", "**/*epoch-0003.*")
    running = start(run, "train")
    log = run.results / "logs/train_epoch/fold-0-epoch-0003.log"
    assert running.wait_for(lambda: log.exists() and "checking training case" in log.read_text())
    running.kill(kind)
    assert running.ended(seconds=30)
    assert "train_epoch fold 0: interrupted" in running.said()
    assert "Traceback" not in running.said()
    assert not list(run.results.rglob(".tmp-*"))
    completes(run, finished, "verify")


@pytest.mark.parametrize("kind", ["Snakemake alone", "all at once"])
def test_half_a_batch_is_not_taken_for_a_whole_one(finished, tmp_path, kind):
    run = without(finished, tmp_path / "run", "normalised")
    running = start(run, "normalise")
    assert running.wait_for(lambda: list(run.results.glob("normalised/*/*.safetensors")))
    running.kill(kind)
    assert re.search("--unlock|--rerun-incomplete", run.run("normalise").stdout)
    completes(run, finished, "normalise")


def test_killed_at_random_moments_the_results_are_those_of_an_uninterrupted_run(finished, tmp_path):
    seed = int(os.environ.get("TUMORSEG_KILLS", time.time_ns() % 10**6))
    dice, story = random.Random(seed), [f"TUMORSEG_KILLS={seed}"]
    kinds = dice.sample(list(KINDS), len(KINDS))
    hit: list[set[str]] = []
    for number in range(KILLS // len(STAGES)):
        run = Workflow(tmp_path / f"run {number}")
        run.configure()
        for place, stage in enumerate(STAGES):
            running = start(run)
            awaited = {script for later in STAGES[place:] for script in later} if stage else set()
            assert running.wait_for(lambda jobs=running.scripts, of=awaited: not of or jobs() & of), story
            time.sleep(dice.uniform(0, 1 if stage else 3))
            kind = kinds[(place + number) % len(kinds)]
            hit.append(running.scripts())
            running.kill(kind)
            story.append(f"{kind} at {sorted(hit[-1])}")
            if kind != "Snakemake alone":  # whose jobs the next run meets, as it may
                assert running.ended(seconds=30), (story, running.jobs())
            unlock(run)
        running = start(run)
        assert running.process.wait() == 0, (story, running.said()[-6000:])
        assert different(run, finished) == set(), story
        assert not run.planned(), story
    assert sum(map(bool, hit)) >= KILLS // 2, story
    assert len(set().union(*hit)) >= len(STAGES), story
