"""A race of training methods: equal training time on the same cases, and Dice on held-out cases not used for tuning.

The methods (`race_methods.py`) train in turns. All get the same patches, a third of them centred on tumour.
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

from tests.benchmarks.race_methods import WIDTHS, TrainingMethod, monai, nnunet, ours
from tests.benchmarks.timing import Figure
from tests.support.builders import REPOSITORY, TASK, recipe
from tumorseg.cohort.splits import read_splits, training_cases, validation_cases
from tumorseg.metrics.overlap import overlaps
from tumorseg.preprocessing.store import find_case, read_case
from tumorseg.task import load_task
from tumorseg.training.batches import iterate_batches

SEEDS = (1, 2, 3)
MINUTES = 1.5
TURN_S = 15.0
"""Training time of a turn."""
COHORT = {
    "cohort": {"root": "cohort", "shards": 4, "validation_fraction": 0.4},
    "demo": {"cases": 16, "spacing_mm": 2.5, "seed": 90210},
    "normalisation": {"margin_voxels": 2},
}


def figures() -> Iterator[Figure]:
    """Yield the Dice of each method, averaged over labels, held-out cases and seeds."""
    torch.set_num_threads(2)
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        training, held_out = _cases(Path(folder))
        for seed in SEEDS:
            for name, (method, labels) in _race(training, held_out, seed).items():
                found.setdefault(name, []).append(float(np.mean(labels)))
                scores = ", ".join(
                    f"label {label} {dice:.3f}" for label, dice in zip(TASK.label_values, labels, strict=True)
                )
                print(f"seed {seed}, {name}: {method.steps} steps, {scores}", flush=True)
    for name, values in found.items():
        yield Figure(
            f"race of {MINUTES:g} minutes, mean label Dice of {len(SEEDS)} seeds, {name}", float(np.mean(values)), ""
        )
    others = max(float(np.mean(values)) for name, values in found.items() if name != "here")
    yield Figure("race, here minus the better of the others", float(np.mean(found["here"])) - others, "", least=0)


def _cases(folder: Path) -> tuple[list[Path], list[Path]]:
    """Make, normalise and split a demo cohort with another seed than the one used for tuning.

    Return the training cases and the held-out cases.
    """
    (folder / "race.yaml").write_text(yaml.safe_dump(COHORT))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), "--cores", "2"]
    command += ["normalise", "split", "--directory", str(folder), "--configfile", str(folder / "race.yaml")]
    subprocess.run(command, check=True, capture_output=True)
    splits = read_splits(folder / "results/cohort/splits.tsv")
    folders = sorted((folder / "results/normalised").iterdir())
    return [find_case(folders, case) for case in training_cases(splits, 0)], [
        find_case(folders, case) for case in validation_cases(splits, 0)
    ]


def _race(training: list[Path], held_out: list[Path], seed: int) -> dict[str, tuple[TrainingMethod, list[float]]]:
    settings = recipe(
        base_channels=WIDTHS[0],
        input_shape=[48] * 3,
        batch_size=2,
        steps_per_epoch=50,
        foreground_fraction=0.33,
        seed=seed,
    ).training
    torch.manual_seed(seed)
    methods = {"here": ours(), "nnU-Net": nnunet(), "MONAI": monai()}
    batches = {
        name: itertools.chain.from_iterable(
            iterate_batches(training, settings, 0, epoch) for epoch in itertools.count(1)
        )
        for name in methods
    }
    while any(method.seconds < 60 * MINUTES for method in methods.values()):
        for name, method in methods.items():
            method.network.train()
            until = min(method.seconds + TURN_S, 60 * MINUTES)
            while method.seconds < until:
                began = time.perf_counter()
                method.step(next(batches[name]), method.seconds / (60 * MINUTES))
                method.seconds += time.perf_counter() - began
                method.steps += 1
    return {name: (method, _dice(method, held_out)) for name, method in methods.items()}


def _dice(method: TrainingMethod, cases: list[Path]) -> list[float]:
    """Return the mean Dice of each label over whole held-out cases."""
    method.network.eval()
    found = []
    for path in cases:
        case = read_case(path)
        sides = case.mask.shape
        margins = [amount for side in reversed(sides) for amount in (0, -side % 8)]
        with torch.inference_mode():
            logits = method.predict(pad(torch.from_numpy(case.image)[None].float(), margins))[0]
        mask = logits.argmax(0)[: sides[0], : sides[1], : sides[2]].numpy().astype(np.uint8)
        mask[mask == 3] = 4  # the other networks have four classes
        found.append(overlaps(case.mask, mask, load_task()))
    return [float(np.mean([overlap[f"label_{label}"].dice for overlap in found])) for label in TASK.label_values]
