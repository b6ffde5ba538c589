"""Batches of random patches from normalised cases.

Every random number is derived from the seed and the place of its use: fold, epoch, step. No generator carries its
state from one step to the next, so a resumed training draws the same numbers as an uninterrupted one.
"""

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from tumorseg.training.distributed import local_shard
from tumorseg.training.patches import read_patch
from tumorseg.training.recipe import TrainingSettings
from tumorseg.training.simulation import Simulators
from tumorseg.training.simulation_messages import Request, SimulatedPatch

_PURPOSES = ("weights", "order", "patch", "augmentation", "synthetic_order")
_CASES_OF_FOLD: Final = 10**12
"""Numbers of simulated cases that each fold has for itself."""


def random_generator(purpose: str, *indices: int) -> np.random.Generator:
    """Return the random generator for one use, such as `random_generator("patch", seed, fold, epoch, step)`."""
    return np.random.default_rng([_PURPOSES.index(purpose), *indices])


def case_order(cases: int, seed: int, fold: int, epoch: int, purpose: str = "order") -> Iterator[int]:
    """Yield case indices in the order of an epoch: one random permutation after another, without end.

    Args:
        cases: number of cases.
        seed: seed of the training.
        fold: the fold whose cases are held out.
        epoch: number of the epoch, from 1.
        purpose: `order`, or `synthetic_order` for synthetic cases.
    """
    turn = 0
    while True:
        yield from random_generator(purpose, seed, fold, epoch, turn).permutation(cases).tolist()
        turn += 1


@dataclass(frozen=True)
class Batch:
    """A batch of patches.

    Attributes:
        images: normalised, float16 (B, channels, X, Y, Z).
        masks: int64 (B, X, Y, Z), canonical labels of the task.
        cases: case of each patch.
        augmentation_rngs: random generator for the augmentation of each patch.
    """

    images: Tensor
    masks: Tensor
    cases: tuple[str, ...]
    augmentation_rngs: tuple[np.random.Generator, ...]

    def pinned(self) -> "Batch":
        """Return the batch with images and masks in pinned memory."""
        return replace(self, images=self.images.pin_memory(), masks=self.masks.pin_memory())


def steps_per_epoch(cases: int, settings: TrainingSettings) -> int:
    """Return the configured number of steps, or as many as it takes to see each case once."""
    return settings.steps_per_epoch or -(-cases // settings.batch_size)


@dataclass(frozen=True)
class PatchSource:
    """Where a patch of a batch comes from.

    Attributes:
        place: index of the patch in the batch of all processes.
        case: file of the case, or the number of the case to simulate.
        is_synthetic: whether the case is synthetic.
    """

    place: int
    case: Path | int
    is_synthetic: bool


def chosen_cases(
    cases: Sequence[Path], synthetic_cases: Sequence[Path], settings: TrainingSettings, fold: int, epoch: int
) -> Iterator[tuple[Path | int, bool]]:
    """Yield the case of each patch of an epoch, and whether it is synthetic, without end.

    A case is a file, or the number of a case to simulate. No number occurs twice, neither in other epochs nor in other
    folds.

    Synthetic cases have an exact share: of the first n patches of the training, the share times n, rounded down. So
    each batch has real and synthetic patches if its size allows it, and a small share is reached over several epochs.

    Args:
        cases: files of real cases.
        synthetic_cases: files of synthetic cases.
        settings: settings of the training.
        fold: the fold whose cases are held out.
        epoch: number of the epoch, from 1.

    Raises:
        ValueError: there are no synthetic cases although the settings need some.
    """
    if settings.synthetic_fraction and not settings.simulates and not synthetic_cases:
        raise ValueError("no synthetic cases")
    first = (epoch - 1) * steps_per_epoch(len(cases), settings) * settings.batch_size
    real = case_order(len(cases), settings.seed, fold, epoch)
    synthetic = case_order(len(synthetic_cases), settings.seed, fold, epoch, "synthetic_order")
    share = settings.synthetic_fraction
    for number in count(first):
        is_synthetic = math.floor((number + 1) * share) > math.floor(number * share)
        if not is_synthetic:
            yield cases[next(real)], False
        else:
            yield fold * _CASES_OF_FOLD + number if settings.simulates else synthetic_cases[next(synthetic)], True


def local_patches(batches: Iterable[Sequence[PatchSource]]) -> Iterator[list[PatchSource]]:
    """Yield this process's patches of each batch.

    Each batch is dealt like cards, one patch to each process in turn: first its synthetic patches, then the others. The
    first one goes to the process that is next after the synthetic patches of all batches before. So after each batch,
    the numbers of synthetic patches that two processes have had differ by at most 1. Without synthetic patches, process
    r of n has the patches r, r + n and so on.

    Args:
        batches: the patches of all processes, for each batch; their number is divisible by that of the processes.

    Yields:
        The patches of this process, by place.
    """
    dealt = 0
    for batch in batches:
        synthetic_first = sorted(batch, key=lambda patch: not patch.is_synthetic)
        yield sorted(local_shard(synthetic_first, first=dealt), key=lambda patch: patch.place)
        dealt += sum(patch.is_synthetic for patch in batch)


def iterate_batches(
    cases: Sequence[Path],
    settings: TrainingSettings,
    fold: int,
    epoch: int,
    *,
    synthetic_cases: Sequence[Path] = (),
    simulators: Simulators | None = None,
    workers: int = 1,
    pin_memory: bool = False,
) -> Iterator[Batch]:
    """Yield this process's share of each batch of an epoch; the next batches are read in the background.

    The order of cases and the position of patches depend on seed, fold, epoch, step and index in the batch alone.

    Args:
        cases: files of normalised cases.
        settings: settings of the training.
        fold: the fold whose cases are held out.
        epoch: number of the epoch, from 1.
        synthetic_cases: files of synthetic cases; needed if the settings have a number of them and their fraction is
            not 0.
        simulators: simulate the cases of synthetic patches; needed if the settings have no number of synthetic cases
            and their fraction is not 0.
        workers: number of threads that read batches; each reads whole batches.
        pin_memory: whether to return batches in pinned memory; needs a GPU.

    Raises:
        ValueError: there are no synthetic cases, or no simulators, although the settings need some.
        UserError: a case is corrupted or cannot be simulated.
    """
    if settings.simulates and simulators is None:
        raise ValueError("no simulators")
    order = chosen_cases(cases, synthetic_cases, settings, fold, epoch)
    whole = (
        [PatchSource(place, *case) for place, case in enumerate(islice(order, settings.batch_size))]
        for _ in range(steps_per_epoch(len(cases), settings))
    )
    chosen = list(local_patches(whole))

    def generator(purpose: str, step: int, patch: PatchSource) -> np.random.Generator:
        return random_generator(purpose, settings.seed, fold, epoch, step, patch.place)

    requests = (
        Request(patch.case, generator("patch", step, patch))
        for step, patches in enumerate(chosen)
        for patch in patches
        if isinstance(patch.case, int)
    )
    simulated = simulators.simulate(requests) if simulators else iter(())

    def read(step: int, coming_patches: Sequence[Future[SimulatedPatch]]) -> Batch:
        waiting = iter(coming_patches)
        names, images, masks = [], [], []
        for patch in chosen[step]:
            if isinstance(patch.case, int):
                found = next(waiting).result()
                name, image, mask = found.case, found.image, found.mask
            else:
                name = patch.case.stem
                image, mask = read_patch(patch.case, settings.patches, generator("patch", step, patch))
            names.append(name)
            images.append(image)
            masks.append(mask)
        batch = Batch(
            torch.from_numpy(np.stack(images)),
            torch.from_numpy(np.stack(masks)).long(),
            tuple(names),
            tuple(generator("augmentation", step, patch) for patch in chosen[step]),
        )
        return batch.pinned() if pin_memory else batch  # in the thread, since this copies the batch

    def wanted(step: int) -> int:
        return sum(isinstance(patch.case, int) for patch in chosen[step])

    with ThreadPoolExecutor(max_workers=workers) as readers:

        def start(step: int) -> Future[Batch]:
            return readers.submit(read, step, list(islice(simulated, wanted(step))))

        coming = deque(start(step) for step in range(min(workers, len(chosen))))
        for step in range(workers, len(chosen) + workers):
            began = time.monotonic()
            batch = coming.popleft().result()
            received = time.monotonic()
            if step < len(chosen):
                coming.append(start(step))
            yield batch
            if simulators:
                simulators.count_step(
                    wanted(step - workers), waited_s=received - began, step_s=time.monotonic() - received
                )
