"""Predict the probabilities of a whole case with one or more networks, at once or in sliding windows."""

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
from tumorseg.inference.whole_volume import (
    forward_bytes,
    fuse_batchnorm,
    logits_of,
    mask_of,
    pad_image,
    probabilities_of,
)
from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution
from tumorseg.networks.memory import device_bytes


@dataclass(frozen=True)
class PredictionSettings:
    """Settings of the prediction.

    Attributes:
        mode: `whole` predicts the whole brain at once, `window` uses sliding windows, and `auto` uses windows only if
            the memory of the device is too small.
        window: voxels of a window along X, Y and Z.
        overlap: share of a window that the next one covers too.
        test_time_mirroring: whether to average over all eight mirror images.
        probabilities: whether to write the probabilities with the masks.
    """

    mode: Literal["auto", "whole", "window"]
    window: tuple[int, int, int]
    overlap: float
    test_time_mirroring: bool
    probabilities: bool

    @classmethod
    def from_config(cls, section: Mapping[str, Any]) -> Self:
        """Return the settings from the section `prediction` of the configuration."""
        return cls(
            mode=section["mode"],
            window=tuple(section["window"]),
            overlap=section["overlap"],
            test_time_mirroring=section["test_time_mirroring"],
            probabilities=section["probabilities"],
        )


_SIGMA: Final = 1 / 8
"""Standard deviation of the Gaussian as a share of the window, as in nnU-Net
(Isensee et al. 2021, doi:10.1038/s41592-020-01008-z)."""


def sliding_windows(sides: Sequence[int], window: Sequence[int], overlap: float) -> Iterator[tuple[slice, ...]]:
    """Yield evenly spaced windows along each axis, from one edge of the volume to the other.

    Args:
        sides: voxels of the volume along each axis.
        window: voxels of a window along each axis, at most those of the volume.
        overlap: minimum share of a window that the next one covers too.

    Yields:
        The slices of a window.
    """
    starts = [_starts(side, length, overlap) for side, length in zip(sides, window, strict=True)]
    for corner in product(*starts):
        yield tuple(slice(start, start + length) for start, length in zip(corner, window, strict=True))


def gaussian_weights(window: Sequence[int]) -> Tensor:
    """Return Gaussian weights of a window, float32 (x, y, z), largest in the centre.

    At the edges of a window, a network sees the least context.
    """
    weights = torch.ones(())
    for length in window:
        distance = torch.arange(length) - (length - 1) / 2
        weights = weights[..., None] * torch.exp(-0.5 * (distance / (_SIGMA * length)) ** 2)
    return weights


def _starts(side: int, length: int, overlap: float) -> list[int]:
    step = max(1, int(length * (1 - overlap)))
    count = 1 - (length - side) // step  # one more than the number of steps, rounded up
    return [round(number * (side - length) / max(1, count - 1)) for number in range(count)]


class NonFiniteOutputError(UserError):
    """The output of a network is NaN or infinite in some voxels, so there is no mask."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """The prediction of a case.

    Attributes:
        probabilities: probability of each class, float32 (classes, x, y, z); 0 for classes without a label. `Predictor`
            gives them on the network's grid, `Segmenter` on the cropped grid of the case.
        windowed: whether sliding windows were used.
    """

    probabilities: NDArray[np.float32]
    windowed: bool

    @property
    def mask(self) -> NDArray[np.uint8]:
        """The most probable label of each voxel, uint8 (x, y, z)."""
        return mask_of(torch.from_numpy(self.probabilities))


class Predictor:
    """Predicts the probabilities of cases with the networks of one task on one device."""

    def __init__(
        self,
        networks: Sequence[Network],
        execution: Execution,
        settings: PredictionSettings,
        unused_classes: Sequence[int],
    ) -> None:
        """Fuse the batch norms of the networks and move them to the device.

        Args:
            networks: networks whose probabilities are averaged.
            execution: device and precision.
            settings: settings of the prediction.
            unused_classes: classes without a label. Their probability is 0.
        """
        self._networks = [fuse_batchnorm(network).to(execution.device) for network in networks]
        self._divisor = math.lcm(*(network.divisor for network in networks))
        self._unused = list(unused_classes)
        self._execution = execution
        self._settings = settings

    def predict(self, image: NDArray[np.float16], start: Sequence[int] = (0, 0, 0)) -> Prediction:
        """Return the prediction for a normalised image of any size.

        Args:
            image: float16 (channels, x, y, z).
            start: first voxel of the image on the whole grid, see `pad_image`.

        Raises:
            NonFiniteOutputError: a logit or a probability is NaN or infinite.
            OutOfMemoryError: the memory is too small and the settings do not allow windows.
        """
        padded = pad_image(image, start, self._divisor)
        windowed = self._needs_windows(padded.images.shape[2:])
        try:
            total = self._mean(padded.images, windowed=windowed)
        except torch.OutOfMemoryError:  # other programs may use memory of the same GPU
            if windowed or self._settings.mode != "auto":
                raise
            logger.info("the free memory is too small for the whole brain at once: using sliding windows")
            windowed, total = True, self._mean(padded.images, windowed=True)
        _require_finite(total)
        return Prediction(total[:, *padded.inside].cpu().contiguous().numpy(), windowed)

    def _mean(self, padded: Tensor, *, windowed: bool) -> Tensor:
        """Return the probabilities (classes, x, y, z), averaged over networks and mirror images."""
        flips = _mirror_axes() if self._settings.test_time_mirroring else [()]
        with torch.inference_mode():
            probabilities = (
                self._predict_volume(network, padded.flip(axes) if axes else padded, windowed=windowed).flip(
                    [axis - 1 for axis in axes]
                )
                for network in self._networks
                for axes in flips
            )
            return reduce(torch.add, probabilities) / (len(self._networks) * len(flips))

    def _predict_volume(self, network: Network, images: Tensor, *, windowed: bool) -> Tensor:
        """Return the probabilities (classes, x, y, z) of one volume (1, channels, x, y, z), on the device."""
        placed = self._execution.place(images)
        return (self._in_windows(network, placed) if windowed else self._probabilities(network, placed))[0]

    def _needs_windows(self, sides: Sequence[int]) -> bool:
        if self._settings.mode != "auto":
            return self._settings.mode == "window"
        needed = max(forward_bytes(network.architecture, sides, self._execution.dtype) for network in self._networks)
        return needed > device_bytes(self._execution.device)

    def _in_windows(self, network: Network, images: Tensor) -> Tensor:
        """Return the mean of the windows that cover each voxel, weighted by the distance to their centres."""
        sides = images.shape[2:]
        window = [min(side, length) for side, length in zip(sides, self._settings.window, strict=True)]
        weights = gaussian_weights(window).to(images.device)
        total = torch.zeros(1, network.architecture.classes, *sides, device=images.device)
        counts = torch.zeros(*sides, device=images.device)
        for slices in sliding_windows(sides, window, self._settings.overlap):
            total[:, :, *slices] += self._probabilities(network, images[:, :, *slices]) * weights
            counts[*slices] += weights
        return total / counts

    def _probabilities(self, network: Network, images: Tensor) -> Tensor:
        logits = logits_of(network, images, self._execution)
        _require_finite(logits)  # the softmax would turn minus infinity into a probability of 0
        return probabilities_of(logits, self._unused)


def _require_finite(values: Tensor) -> None:
    extremes = torch.stack(values.aminmax())  # NaN if any voxel is NaN, without a copy of the values
    if not bool(torch.isfinite(extremes).all()):
        raise NonFiniteOutputError(
            "the output of the network is NaN or infinite in some voxels; check the images, try another model, or set "
            "training.precision to fp32 if the network computed in fp16"
        )


def _mirror_axes() -> list[tuple[int, ...]]:
    """Return the axes of (B, C, X, Y, Z) to flip for each of the eight mirror images. The first one flips none."""
    return [axes for count in range(4) for axes in combinations((2, 3, 4), count)]
