"""Batches of random patches from normalised cases.

Every random number is derived from the seed and the place of its use: fold, epoch, step. No generator carries its
state from one step to the next, so a resumed training draws the same numbers as an uninterrupted one.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor

from tumorseg.preprocessing.store import read_case_header, report_corrupted_case
from tumorseg.training.distributed import local_shard
from tumorseg.training.recipe import TrainingSettings

_PURPOSES = ("weights", "order", "patch", "augmentation", "synthetic_order")


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


def steps_per_epoch(cases: int, settings: TrainingSettings) -> int:
    """Return the configured number of steps, or as many as it takes to see each case once."""
    return settings.steps_per_epoch or -(-cases // settings.batch_size)


@dataclass(frozen=True)
class PatchSource:
    """Where a patch of a batch comes from.

    Attributes:
        place: index of the patch in the batch of all processes.
        case: file of the case.
        is_synthetic: whether the case is synthetic.
    """

    place: int
    case: Path
    is_synthetic: bool


def chosen_cases(
    cases: Sequence[Path], synthetic_cases: Sequence[Path], settings: TrainingSettings, fold: int, epoch: int
) -> Iterator[tuple[Path, bool]]:
    """Yield the case of each patch of an epoch, and whether it is synthetic, without end.

    Synthetic cases have an exact share: of the first n patches, the share times n, rounded down. So each batch has real
    and synthetic patches if its size allows it.

    Args:
        cases: files of real cases.
        synthetic_cases: files of synthetic cases.
        settings: settings of the training.
        fold: the fold whose cases are held out.
        epoch: number of the epoch, from 1.

    Raises:
        ValueError: there are no synthetic cases although the settings need some.
    """
    if settings.synthetic_fraction and not synthetic_cases:
        raise ValueError("no synthetic cases")
    real = case_order(len(cases), settings.seed, fold, epoch)
    synthetic = case_order(len(synthetic_cases), settings.seed, fold, epoch, "synthetic_order")
    share = settings.synthetic_fraction
    for number in count():
        is_synthetic = math.floor((number + 1) * share) > math.floor(number * share)
        yield (synthetic_cases[next(synthetic)] if is_synthetic else cases[next(real)]), is_synthetic


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
    workers: int = 1,
) -> Iterator[Batch]:
    """Yield this process's share of each batch of an epoch; the next batches are read in the background.

    The order of cases and the position of patches depend on seed, fold, epoch, step and index in the batch alone.

    Args:
        cases: files of normalised cases.
        settings: settings of the training.
        fold: the fold whose cases are held out.
        epoch: number of the epoch, from 1.
        synthetic_cases: files of synthetic cases; they are needed if their fraction is not 0.
        workers: number of threads that read batches; each reads whole batches.
    """
    order = chosen_cases(cases, synthetic_cases, settings, fold, epoch)
    whole = (
        [PatchSource(place, *case) for place, case in enumerate(islice(order, settings.batch_size))]
        for _ in range(steps_per_epoch(len(cases), settings))
    )
    chosen = list(local_patches(whole))

    def read(step: int) -> Batch:
        patches = [
            read_patch(
                patch.case,
                settings.input_shape,
                random_generator("patch", settings.seed, fold, epoch, step, patch.place),
                settings.foreground_fraction,
                settings.foreground_sampling,
            )
            for patch in chosen[step]
        ]
        return Batch(
            torch.from_numpy(np.stack([image for image, _ in patches])),
            torch.from_numpy(np.stack([mask for _, mask in patches])).long(),
            tuple(patch.case.stem for patch in chosen[step]),
            tuple(
                random_generator("augmentation", settings.seed, fold, epoch, step, patch.place)
                for patch in chosen[step]
            ),
        )

    with ThreadPoolExecutor(max_workers=workers) as readers:
        coming = deque(readers.submit(read, step) for step in range(min(workers, len(chosen))))
        for step in range(workers, len(chosen) + workers):
            batch = coming.popleft().result()
            if step < len(chosen):
                coming.append(readers.submit(read, step))
            yield batch


def read_patch(
    path: Path,
    shape: tuple[int, int, int],
    rng: np.random.Generator,
    foreground_fraction: float = 0,
    foreground_sampling: Literal["label", "voxel"] = "label",
) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """Read a random patch of a case and its mask.

    Along axes where the case is larger than the patch, the position is random; where it is smaller, the case is centred
    and padded with background (0). Only the voxels of the patch are read from disk; a patch around a labelled voxel
    needs the whole mask as well.

    Args:
        path: a normalised case.
        shape: voxels of the patch (X, Y, Z).
        rng: the source of all random numbers.
        foreground_fraction: probability of placing the patch around a labelled voxel.
        foreground_sampling: how this voxel is chosen. `label`: at random within a random label of the case, all labels
            being equally likely. `voxel`: at random among all labelled voxels.

    Returns:
        Image, float16 (channels, X, Y, Z), and mask, uint8 (X, Y, Z).

    Raises:
        UserError: the file is corrupted or belongs to another case.
    """
    with report_corrupted_case(path), safe_open(path, framework="numpy") as file:
        read_case_header(path, file)
        image, mask = file.get_slice("image"), file.get_slice("mask")
        sides = mask.get_shape()
        centre = None
        if rng.random() < foreground_fraction:
            centre = _random_labelled_voxel(file.get_tensor("mask"), rng, by_label=foreground_sampling == "label")
        source, target = [], []
        for axis, (side, wanted) in enumerate(zip(sides, shape, strict=True)):
            start = int(rng.integers(side - wanted + 1)) if side > wanted else 0
            if centre is not None:
                start = min(max(0, centre[axis] - wanted // 2), max(0, side - wanted))
            kept = min(side, wanted)
            source.append(slice(start, start + kept))
            before = (wanted - kept) // 2
            target.append(slice(before, before + kept))
        image_patch = np.zeros((image.get_shape()[0], *shape), np.float16)
        image_patch[:, *target] = image[:, *source]
        mask_patch = np.zeros(shape, np.uint8)
        mask_patch[*target] = mask[*source]
    return image_patch, mask_patch


def _random_labelled_voxel(
    mask: NDArray[np.uint8], rng: np.random.Generator, *, by_label: bool
) -> tuple[int, ...] | None:
    """Return a random labelled voxel; None if the mask is empty. by_label: choose its label first."""
    candidates = np.flatnonzero(mask)
    if candidates.size == 0:
        return None
    if by_label:
        values = mask.reshape(-1)[candidates]
        candidates = candidates[values == rng.choice(np.unique(values))]
    return tuple(int(index) for index in np.unravel_index(rng.choice(candidates), mask.shape))
