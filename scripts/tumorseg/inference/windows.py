"""Windows that cover a volume with some overlap, and how much each voxel of one counts."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

import torch
from torch import Tensor

_SIGMA: Final = 1 / 8
"""Width of the Gaussian in sides of the window: that of nnU-Net
(Isensee et al. 2021, doi:10.1038/s41592-020-01008-z)."""


def windows(sides: Sequence[int], window: Sequence[int], overlap: float) -> Iterator[tuple[slice, ...]]:
    """Windows in a volume of `sides` voxels, evenly spaced, the first and the last of them at its edges.

    window: voxels along each axis, no more than the volume has. overlap: the share of a window, at least, that the next
    one covers too.
    """
    starts = [_starts(side, length, overlap) for side, length in zip(sides, window, strict=True)]
    for corner in product(*starts):
        yield tuple(slice(start, start + length) for start, length in zip(corner, window, strict=True))


def gaussian(window: Sequence[int]) -> Tensor:
    """Weights (x, y, z), float32, that fall from 1 in the middle towards the edges, where the network sees least."""
    weights = torch.ones(())
    for length in window:
        distance = torch.arange(length) - (length - 1) / 2
        weights = weights[..., None] * torch.exp(-0.5 * (distance / (_SIGMA * length)) ** 2)
    return weights


def _starts(side: int, length: int, overlap: float) -> list[int]:
    step = max(1, int(length * (1 - overlap)))
    count = 1 - (length - side) // step  # of steps, rounded up, and one
    return [round(number * (side - length) / max(1, count - 1)) for number in range(count)]
