"""Probabilities of one network, or the mean of several, for a whole case: at once or in sliding windows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations, product
from typing import Any, Final, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tumorseg.cli.console import logger
from tumorseg.errors import UserError
from tumorseg.inference.fused_network import forward_bytes, fuse_batchnorm
from tumorseg.inference.whole_volume import logits_of, mask_of, pad_image, probabilities_of
from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution
from tumorseg.networks.memory import device_bytes


@dataclass(frozen=True)
class PredictionSettings:
    """mode: the whole brain at once, windows, or what memory allows. window: voxels. overlap: share of a window.

    flips: the mean over all eight mirror images. probabilities: written beside the masks.
    """

    mode: Literal["auto", "whole", "window"]
    window: tuple[int, int, int]
    overlap: float
    test_time_mirroring: bool
    probabilities: bool

    @classmethod
    def from_config(cls, section: Mapping[str, Any]) -> Self:
        """The settings in the section `prediction` of the configuration."""
        return cls(
            mode=section["mode"],
            window=tuple(section["window"]),
            overlap=section["overlap"],
            test_time_mirroring=section["flips"],
            probabilities=section["probabilities"],
        )


_SIGMA: Final = 1 / 8
"""Width of the Gaussian in sides of the window: that of nnU-Net
(Isensee et al. 2021, doi:10.1038/s41592-020-01008-z)."""


def sliding_windows(sides: Sequence[int], window: Sequence[int], overlap: float) -> Iterator[tuple[slice, ...]]:
    """Windows in a volume of `sides` voxels, evenly spaced, the first and the last of them at its edges.

    window: voxels along each axis, no more than the volume has. overlap: the share of a window, at least, that the next
    one covers too.
    """
    starts = [_starts(side, length, overlap) for side, length in zip(sides, window, strict=True)]
    for corner in product(*starts):
        yield tuple(slice(start, start + length) for start, length in zip(corner, window, strict=True))


def gaussian_weights(window: Sequence[int]) -> Tensor:
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


class NonFiniteOutputError(UserError):
    """What a network says of a case is NaN or infinite somewhere, so that there is no mask."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """probabilities: float32 (classes, x, y, z), 0 for classes that no voxel has. windowed: made of windows."""

    probabilities: NDArray[np.float32]
    windowed: bool

    @property
    def mask(self) -> NDArray[np.uint8]:
        """The most probable label of each voxel, (x, y, z)."""
        return mask_of(torch.from_numpy(self.probabilities))


class Predictor:
    """Probabilities by networks of one task, on one device; more than one give their mean.

    unused_classes: those that no voxel has, whose probability is 0.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        execution: Execution,
        settings: PredictionSettings,
        unused_classes: Sequence[int],
    ) -> None:
        self._networks = [fuse_batchnorm(network).to(execution.device) for network in networks]
        self._divisor = math.lcm(*(network.divisor for network in networks))
        self._unused = list(unused_classes)
        self._execution = execution
        self._settings = settings

    def predict(self, image: NDArray[np.float16], start: Sequence[int] = (0, 0, 0)) -> Prediction:
        """The prediction for a normalised image (channels, x, y, z) of any size.

        start: its first voxel on the whole grid, see `pad_image`. Raises NotFinite where a logit or a probability is
        NaN or infinite.
        """
        padded = pad_image(image, start, self._divisor)
        windowed = self._needs_windows(padded.images.shape[2:])
        try:
            total = self._mean(padded.images, windowed=windowed)
        except torch.OutOfMemoryError:  # of a GPU on which others have their share
            if windowed or self._settings.mode != "auto":
                raise
            logger.info("the whole brain at once does not fit the memory that is left: taking windows")
            windowed, total = True, self._mean(padded.images, windowed=True)
        _require_finite(total)
        return Prediction(total[:, *padded.inside].cpu().contiguous().numpy(), windowed)

    def _mean(self, padded: Tensor, *, windowed: bool) -> Tensor:
        """The mean over networks and mirror images of the probabilities (classes, x, y, z)."""
        flips = _mirror_axes() if self._settings.test_time_mirroring else [()]
        with torch.inference_mode():
            answers = (
                self._answer(network, padded.flip(axes) if axes else padded, windowed=windowed).flip(
                    [axis - 1 for axis in axes]
                )
                for network in self._networks
                for axes in flips
            )
            return reduce(torch.add, answers) / (len(self._networks) * len(flips))

    def _answer(self, network: Network, images: Tensor, *, windowed: bool) -> Tensor:
        """Probabilities (classes, x, y, z) of one volume (1, channels, x, y, z), on the device."""
        placed = self._execution.place(images)
        return (self._in_windows(network, placed) if windowed else self._probabilities(network, placed))[0]

    def _needs_windows(self, sides: Sequence[int]) -> bool:
        if self._settings.mode != "auto":
            return self._settings.mode == "window"
        needed = max(forward_bytes(network.architecture, sides, self._execution.dtype) for network in self._networks)
        return needed > device_bytes(self._execution.device)

    def _in_windows(self, network: Network, images: Tensor) -> Tensor:
        """The mean of the windows that cover each voxel, weighted by how near it is to their middle."""
        sides = images.shape[2:]
        window = [min(side, length) for side, length in zip(sides, self._settings.window, strict=True)]
        weights = gaussian_weights(window).to(images.device)
        total = torch.zeros(1, network.architecture.classes, *sides, device=images.device)
        counts = torch.zeros(*sides, device=images.device)
        for place in sliding_windows(sides, window, self._settings.overlap):
            total[:, :, *place] += self._probabilities(network, images[:, :, *place]) * weights
            counts[*place] += weights
        return total / counts

    def _probabilities(self, network: Network, images: Tensor) -> Tensor:
        logits = logits_of(network, images, self._execution)
        _require_finite(logits)  # the softmax would make a probability of 0 of minus infinity
        return probabilities_of(logits, self._unused)


def _require_finite(values: Tensor) -> None:
    extremes = torch.stack(values.aminmax())  # NaN where one voxel is, and no copy of the answer
    if not bool(torch.isfinite(extremes).all()):
        raise NonFiniteOutputError(
            "the network's answer is not a number in some voxels; look at the images, try another model, and where it "
            "computed in fp16, set training.precision to fp32"
        )


def _mirror_axes() -> list[tuple[int, ...]]:
    """The axes of (B, C, X, Y, Z) that are flipped in each of the eight mirror images, none first."""
    return [axes for count in range(4) for axes in combinations((2, 3, 4), count)]
