"""The demo on a GPU: the whole workflow, repeated and resumed trainings, and two GPUs."""

import json
import math
import time
from pathlib import Path
from typing import Any

import torch

from tests.gpu_check.check import Figure, Result
from tests.gpu_check.demo_run import DemoRun, untrained
from tests.gpu_check.scale import Scale
from tumorseg.io.digests import sha256

EPOCHS = 3
LEAST_DICE = {"WT": 0.85, "label_1": 0.5, "label_2": 0.5, "label_4": 0.5}
"""The Dice that the demo reaches on a CPU, see tests/integration/test_demo.py."""
SIMILAR = 0.05
"""Largest relative difference between the losses of two trainings that need not have the same bits."""
SIMILAR_ON_TWO = 0.01
"""The same for few steps in fp32 on one and on two GPUs."""


def check_demo(scale: Scale, folder: Path) -> Result:
    """Run the whole workflow on the demo cohort in fp16."""
    run = DemoRun(folder / "demo/whole", scale)
    began = time.perf_counter()
    targets = ("evaluate",) if scale.reduced else ()  # figures and report use no GPU
    run.run(*targets, epochs=EPOCHS, precision="fp16")
    seconds = time.perf_counter() - began
    last = run.content(EPOCHS)
    scores = json.loads((run.folder / "results/evaluation/summary.json").read_text())["structures"]
    dice = {name: float(content["scores"]["dice"]["mean"]) for name, content in scores.items()}
    history = last["history"]
    problems = _execution_problems(last, "cuda fp16" if scale.device == "cuda" else "cpu fp32")
    problems += [
        f"epoch {row['epoch']} has a loss that is not finite"
        for row in history
        if not (math.isfinite(row["train_loss"]) and math.isfinite(row["validation_loss"]))
    ]
    if not scale.reduced:
        problems += [
            f"the Dice of {name} is {dice[name]:.3f}, below {least}"
            for name, least in LEAST_DICE.items()
            if not dice[name] >= least
        ]
    figures = [
        Figure("seconds of the whole workflow", seconds, "s"),
        Figure("steps with a non-finite loss", sum(row["nonfinite_steps"] for row in history)),
        Figure("steps that the gradient scaler skipped", sum(row["skipped_steps"] for row in history)),
        *(Figure(f"seconds of epoch {epoch}", _epoch_seconds(run, epoch), "s") for epoch in range(1, EPOCHS + 1)),
        *(Figure(f"loss of epoch {row['epoch']}", row["train_loss"]) for row in history),
        *(Figure(f"Dice of {name}", value) for name, value in dice.items()),
    ]
    return Result.judged(figures, problems)


def check_repeated(scale: Scale, folder: Path) -> Result:
    """Train twice with `deterministic` and compare the files of the checkpoints."""
    runs = [untrained(name, folder, scale) for name in ("deterministic", "deterministic again")]
    for run in runs:
        run.run("train", **_settings(scale, deterministic=True))
    return _compare_files(*runs)


def check_resumed(scale: Scale, folder: Path) -> Result:
    """Train one epoch, then the others, with `deterministic`; compare with a training at once."""
    once, resumed = (untrained(name, folder, scale) for name in ("at once", "resumed"))
    once.run("train", **_settings(scale, deterministic=True))
    for epochs in (1, EPOCHS):
        resumed.run("train", **_settings(scale, deterministic=True) | {"epochs": epochs})
    return _compare_files(once, resumed)


def check_default(scale: Scale, folder: Path) -> Result:
    """Train twice without `deterministic` and once with it; compare losses, weights and time."""
    runs = [untrained(name, folder, scale) for name in ("default", "default again", "with deterministic")]
    for run, deterministic in zip(runs, (False, False, True), strict=True):
        run.run("train", **_settings(scale, deterministic=deterministic))
    one, again, deterministic = (run.content(EPOCHS) for run in runs)
    differences = {"a repeated training": (one, again), "a training with `deterministic`": (one, deterministic)}
    figures, problems = [], []
    for title, (first, second) in differences.items():
        loss = _loss_difference(first, second)
        figures += [
            Figure(f"{title} has the same bits (1: yes)", float(_weight_difference(first, second) == 0)),
            Figure(f"{title}: largest difference of a weight", _weight_difference(first, second)),
            Figure(f"{title}: relative difference of the last loss", loss),
        ]
        if not loss <= SIMILAR:
            problems.append(f"{title} has a loss that differs by {loss:.1%}, more than {SIMILAR:.0%}")
    seconds = [sum(_epoch_seconds(run, epoch) for epoch in range(1, EPOCHS + 1)) for run in (runs[0], runs[2])]
    figures.append(Figure("time with `deterministic` / without", seconds[1] / seconds[0]))
    return Result.judged(figures, problems)


def check_two(scale: Scale, folder: Path) -> Result:
    """Train a few steps on one and on two GPUs (on a CPU: in two processes) and compare the losses."""
    if scale.device == "cuda" and (count := torch.cuda.device_count()) < 2:
        return Result.not_possible(f"this machine has {count} GPU")
    settings = {"epochs": 1, "steps_per_epoch": 10, "batch_size": 2, "precision": "fp32"}
    runs = [untrained(name, folder, scale) for name in ("on one", "on two")]
    for number, run in enumerate(runs, start=1):
        run.run("train", options=("--set-resources", f"train_epoch:gpu={number}"), **settings)
    one, two = (run.content(1) for run in runs)
    difference = _loss_difference(one, two)
    problems = _execution_problems(two, f"{scale.device} fp32 in 2 processes")
    if not difference <= SIMILAR_ON_TWO:
        problems.append(f"the losses differ by {difference:.1%}, more than {SIMILAR_ON_TWO:.0%}")
    figures = [
        Figure("relative difference of the loss", difference),
        Figure("largest difference of a weight", _weight_difference(one, two)),
        *(
            Figure(f"seconds of the epoch in {number} process(es)", _epoch_seconds(run, 1), "s")
            for number, run in enumerate(runs, start=1)
        ),
    ]
    return Result.judged(figures, problems)


def _settings(scale: Scale, *, deterministic: bool) -> dict[str, Any]:
    precision = "fp16" if scale.device == "cuda" else "fp32"
    return {"epochs": EPOCHS, "precision": precision, "deterministic": deterministic}


def _execution_problems(content: dict[str, Any], expected: str) -> list[str]:
    found = content["execution"]
    return [] if found == expected else [f"the training ran on {found} instead of {expected}"]


def _compare_files(one: DemoRun, other: DemoRun) -> Result:
    differing = [
        epoch for epoch in range(1, EPOCHS + 1) if sha256(one.checkpoint(epoch)) != sha256(other.checkpoint(epoch))
    ]
    first, second = one.content(EPOCHS), other.content(EPOCHS)
    figures = [
        Figure("checkpoints with the same bits", EPOCHS - len(differing)),
        Figure("largest difference of a weight", _weight_difference(first, second)),
        Figure("relative difference of the last loss", _loss_difference(first, second)),
    ]
    return Result.judged(figures, [f"the checkpoints of epoch {epoch} differ" for epoch in differing])


def _weight_difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Return the largest absolute difference of a weight or a statistic of batch norm."""
    return max(
        float((tensor.double() - other["weights"][name].double()).abs().max())
        for name, tensor in one["weights"].items()
    )


def _loss_difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Return the relative difference of the training losses of the last epoch."""
    first, second = (content["history"][-1]["train_loss"] for content in (one, other))
    return abs(first - second) / abs(first)


def _epoch_seconds(run: DemoRun, epoch: int) -> float:
    """Return the seconds of the job that trained an epoch, from the record of its checkpoint."""
    return float(json.loads(run.checkpoint(epoch).with_suffix(".json").read_text())["seconds"])
