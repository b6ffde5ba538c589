"""Batches of random patches from normalised cases.

Every random number of a training is derived from the seed and the place where it is drawn: fold, epoch, step. No
generator carries a state from one step to the next, so a resumed training draws the same numbers as an uninterrupted
one.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor

from tumorseg.preprocessing.store import read_case_header, report_corrupted_case
from tumorseg.training.distributed import local_shard
from tumorseg.training.settings import TrainingSettings

_PURPOSES = ("weights", "order", "patch", "augmentation")


def random_generator(purpose: str, *indices: int) -> np.random.Generator:
    """The generator for one purpose at one place, for instance `generator("patch", seed, fold, epoch, step)`."""
    return np.random.default_rng([_PURPOSES.index(purpose), *indices])


def case_order(cases: int, seed: int, fold: int, epoch: int) -> Iterator[int]:
    """Indices of the cases in the order of an epoch: one permutation after the other, without end."""
    turn = 0
    while True:
        yield from random_generator("order", seed, fold, epoch, turn).permutation(cases).tolist()
        turn += 1


@dataclass(frozen=True)
class Batch:
    """images: float16 (B, channels, X, Y, Z). masks: int64 (B, X, Y, Z), labels of the task. cases: their ids.

    augmentation: for each patch, what its changes are drawn from.
    """

    images: Tensor
    masks: Tensor
    cases: tuple[str, ...]
    augmentation: tuple[np.random.Generator, ...]


def steps_per_epoch(cases: int, settings: TrainingSettings) -> int:
    """Steps of an epoch: as configured, or as many as it takes to see each case once."""
    return settings.steps_per_epoch or -(-cases // settings.batch_size)


def iterate_batches(
    cases: Sequence[Path], settings: TrainingSettings, fold: int, epoch: int, *, workers: int = 1
) -> Iterator[Batch]:
    """The share of this process in the batches of an epoch, the next ones read while one is in use.

    cases: files of normalised cases. The order of the cases and the place of each patch follow from (seed, fold, epoch,
    step, place in the batch) alone. workers: threads that read, each a batch of its own.
    """
    order = case_order(len(cases), settings.seed, fold, epoch)
    chosen = [
        list(local_shard(list(enumerate(islice(order, settings.batch_size)))))
        for _ in range(steps_per_epoch(len(cases), settings))
    ]

    def read(step: int) -> Batch:
        patches = [
            read_patch(
                cases[index],
                settings.input_shape,
                random_generator("patch", settings.seed, fold, epoch, step, place),
                settings.foreground_fraction,
            )
            for place, index in chosen[step]
        ]
        return Batch(
            torch.from_numpy(np.stack([image for image, _ in patches])),
            torch.from_numpy(np.stack([mask for _, mask in patches])).long(),
            tuple(cases[index].stem for _, index in chosen[step]),
            tuple(
                random_generator("augmentation", settings.seed, fold, epoch, step, place) for place, _ in chosen[step]
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
    path: Path, shape: tuple[int, int, int], rng: np.random.Generator, foreground_fraction: float = 0
) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """A patch of a case and its mask: (channels, *shape) and shape.

    Along an axis on which the case is larger, the patch lies at a random place; where it is smaller, it stands in the
    middle with background (0) around it. With a probability of `foreground_fraction`, the place is drawn around a voxel
    of a label, every label that the case shows being as likely. Only the voxels of the patch are read
    from disk, and then those of the whole mask. Raises UserError where the file is damaged or holds another case.
    """
    with report_corrupted_case(path), safe_open(path, framework="numpy") as file:
        read_case_header(path, file)
        image, mask = file.get_slice("image"), file.get_slice("mask")
        sides = mask.get_shape()
        centre = _random_labelled_voxel(file.get_tensor("mask"), rng) if rng.random() < foreground_fraction else None
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


def _random_labelled_voxel(mask: NDArray[np.uint8], rng: np.random.Generator) -> tuple[int, ...] | None:
    """A random voxel of a random label, None where there is none."""
    where = np.flatnonzero(mask)
    if where.size == 0:
        return None
    values = mask.reshape(-1)[where]
    there = where[values == rng.choice(np.unique(values))]
    return tuple(int(place) for place in np.unravel_index(rng.choice(there), mask.shape))
