"""A race: equal minutes, the same cases, in turns; Dice of held-out cases that served for no tuning.

Each has its own network (of equal widths), loss, optimizer, schedule and augmentation; all get the same patches, of
which a third are laid around tumour.
The contestants: `contestants.py`.
"""

import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import yaml
from torch.nn.functional import pad

from tests.benchmarks.contestants import WIDTHS, Contestant, monai, nnunet, ours
from tests.benchmarks.timing import Figure
from tests.support.builders import REPOSITORY, TASK, recipe
from tumorseg.cohort.splits import read_splits, training_cases, validation_cases
from tumorseg.metrics.overlap import overlaps
from tumorseg.preprocessing.store import find_case, read_case
from tumorseg.task import load_task
from tumorseg.training.data import iterate_batches

SEEDS = (1, 2, 3)
MINUTES = 1.5
TURN = 15.0
"""Seconds of training in a turn."""
COHORT = {
    "cohort": {"root": "cohort", "shards": 4, "validation_fraction": 0.4},
    "demo": {"cases": 16, "spacing_mm": 2.5, "seed": 90210},
    "normalisation": {"margin_voxels": 2},
}


def figures() -> Iterator[Figure]:
    """Mean Dice of the three labels over the held-out cases, and over the seeds."""
    torch.set_num_threads(2)
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        training, rest = _cases(Path(folder))
        for seed in SEEDS:
            for name, (contestant, labels) in _race(training, rest, seed).items():
                found.setdefault(name, []).append(float(np.mean(labels)))
                words = ", ".join(
                    f"label {label} {dice:.3f}" for label, dice in zip(TASK.label_values, labels, strict=True)
                )
                print(f"seed {seed}, {name}: {contestant.steps} steps, {words}", flush=True)
    for name, values in found.items():
        yield Figure(
            f"race of {MINUTES:g} minutes, mean label Dice of {len(SEEDS)} seeds, {name}", float(np.mean(values)), ""
        )
    others = max(float(np.mean(values)) for name, values in found.items() if name != "here")
    yield Figure("race, here minus the better of the others", float(np.mean(found["here"])) - others, "", least=0)


def _cases(folder: Path) -> tuple[list[Path], list[Path]]:
    """A demo cohort of another seed than the one that recipes were tried on, normalised and split."""
    (folder / "race.yaml").write_text(yaml.safe_dump(COHORT))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), "--cores", "2"]
    command += ["normalise", "split", "--directory", str(folder), "--configfile", str(folder / "race.yaml")]
    subprocess.run(command, check=True, capture_output=True)
    splits = read_splits(folder / "results/cohort/splits.tsv")
    where = sorted((folder / "results/normalised").iterdir())
    return [find_case(where, case) for case in training_cases(splits, 0)], [
        find_case(where, case) for case in validation_cases(splits, 0)
    ]


def _race(training: list[Path], rest: list[Path], seed: int) -> dict[str, tuple[Contestant, list[float]]]:
    settings = recipe(
        base_channels=WIDTHS[0],
        input_shape=[48] * 3,
        batch_size=2,
        steps_per_epoch=50,
        foreground_fraction=0.33,
        seed=seed,
    ).training
    torch.manual_seed(seed)
    contestants = {"here": ours(), "nnU-Net": nnunet(), "MONAI": monai()}
    coming = {
        name: itertools.chain.from_iterable(
            iterate_batches(training, settings, 0, epoch) for epoch in itertools.count(1)
        )
        for name in contestants
    }
    while any(contestant.seconds < 60 * MINUTES for contestant in contestants.values()):
        for name, contestant in contestants.items():
            contestant.network.train()
            until = min(contestant.seconds + TURN, 60 * MINUTES)
            while contestant.seconds < until:
                began = time.perf_counter()
                contestant.step(next(coming[name]), contestant.seconds / (60 * MINUTES))
                contestant.seconds += time.perf_counter() - began
                contestant.steps += 1
    return {name: (contestant, _dice(contestant, rest)) for name, contestant in contestants.items()}


def _dice(contestant: Contestant, cases: list[Path]) -> list[float]:
    """Mean Dice of each label over whole held-out cases."""
    contestant.network.eval()
    found = []
    for path in cases:
        case = read_case(path)
        sides = case.mask.shape
        margins = [amount for side in reversed(sides) for amount in (0, -side % 8)]
        with torch.inference_mode():
            logits = contestant.answer(pad(torch.from_numpy(case.image)[None].float(), margins))[0]
        mask = logits.argmax(0)[: sides[0], : sides[1], : sides[2]].numpy().astype(np.uint8)
        mask[mask == 3] = 4  # the networks of others have four classes
        found.append(overlaps(case.mask, mask, load_task()))
    return [float(np.mean([of_case[f"label_{label}"].dice for of_case in found])) for label in TASK.label_values]
