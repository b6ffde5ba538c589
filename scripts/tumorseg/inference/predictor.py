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
from tumorseg.errors import Message, UserError
from tumorseg.inference.whole_volume import (
    PaddedImage,
    forward_bytes,
    fuse_batchnorm,
    logits_of,
    mask_of,
    pad_image,
    probabilities_of,
)
from tumorseg.metrics.mask_quality import OutputSums
from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution
from tumorseg.networks.memory import DeviceMemoryError, device_bytes, too_little_memory


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
class _NetworkOutput:
    """The mask of a network, uint8 (x, y, z), and the sums of its probabilities, see `OutputSums`; on the device."""

    mask: Tensor
    sums: Tensor


@dataclass(frozen=True, eq=False)
class Prediction:
    """The prediction of a case.

    Attributes:
        probabilities: probability of each class, float32 (classes, x, y, z); 0 for classes without a label. `Predictor`
            gives them on the network's grid, `Segmenter` on the cropped grid of the case.
        windowed: whether sliding windows were used.
        outputs: sums of the output of each network, over the network's grid.
    """

    probabilities: NDArray[np.float32]
    windowed: bool
    outputs: tuple[OutputSums, ...]

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
            DeviceMemoryError: the memory is too small, even for windows or because the settings do not allow them.
        """
        padded = pad_image(image, start, self._divisor)
        windowed = self._needs_windows(padded.images.shape[2:])
        total = self._mean_if_memory_allows(padded, windowed=windowed)
        # Not within an `except`, which would keep the tensors of the failed attempt.
        if total is None and not windowed and self._settings.mode == "auto":  # other programs may use the same GPU
            logger.info("the free memory is too small for the whole brain at once: using sliding windows")
            windowed, total = True, self._mean_if_memory_allows(padded, windowed=True)
        if total is None:
            purpose: Message = f"predicting {'in sliding windows' if windowed else 'the whole brain at once'}"
            remedy: Message = "lower prediction.window" if windowed else "set prediction.mode to auto or window"
            raise DeviceMemoryError(too_little_memory(self._execution.device, purpose, remedy))
        mean, finite, outputs = total
        if not bool(finite):  # waits for a GPU; nothing before does
            raise NonFiniteOutputError(
                "the output of the network is NaN or infinite in some voxels; check the images, try another model, or "
                "set training.precision to fp32 if the network computed in fp16"
            )
        probabilities = mean.cpu()[:, *padded.inside].contiguous()
        return Prediction(probabilities.numpy(), windowed, tuple(_output_sums(outputs, probabilities)))

    def _mean_if_memory_allows(
        self, padded: PaddedImage, *, windowed: bool
    ) -> tuple[Tensor, Tensor, list[_NetworkOutput]] | None:
        """Return the result of `_mean`; None if the memory of the device is too small."""
        try:
            return self._mean(padded, windowed=windowed)
        except torch.OutOfMemoryError:
            return None

    def _mean(self, padded: PaddedImage, *, windowed: bool) -> tuple[Tensor, Tensor, list[_NetworkOutput]]:
        """Return the mean probabilities (classes, x, y, z) of all networks, if all are finite, and each output.

        All stay on the device: a GPU would wait if the program read a value after each window.
        """
        with torch.inference_mode():
            images = self._execution.place(padded.images)
            window = self._gaussian_window(images) if windowed else None
            finite = torch.ones((), dtype=torch.bool, device=images.device)
            outputs: list[_NetworkOutput] = []

            def mirrored_means() -> Iterator[Tensor]:
                for network in self._networks:
                    own = self._mirrored_mean(network, images, window, finite)
                    outputs.append(_network_output(own[:, *padded.inside]))
                    yield own

            mean = reduce(Tensor.add_, mirrored_means()).div_(len(self._networks))
            _note_non_finite(finite, mean)
            return mean, finite, outputs

    def _mirrored_mean(self, network: Network, images: Tensor, window: Tensor | None, finite: Tensor) -> Tensor:
        """Return the probabilities (classes, x, y, z) of a network, averaged over the mirror images."""
        flips = _mirror_axes() if self._settings.test_time_mirroring else [()]
        probabilities = (
            self._predict_volume(network, images.flip(axes) if axes else images, window, finite).flip(
                [axis - 1 for axis in axes]
            )
            for axes in flips
        )
        return reduce(Tensor.add_, probabilities).div_(len(flips))

    def _predict_volume(self, network: Network, images: Tensor, window: Tensor | None, finite: Tensor) -> Tensor:
        """Return the probabilities (classes, x, y, z) of a volume (1, channels, x, y, z); in windows, if given one."""
        if window is None:
            return self._probabilities(network, images, finite)[0]
        return self._in_windows(network, images, window, finite)[0]

    def _needs_windows(self, sides: Sequence[int]) -> bool:
        if self._settings.mode != "auto":
            return self._settings.mode == "window"
        needed = max(forward_bytes(network.architecture, sides, self._execution.dtype) for network in self._networks)
        return needed > device_bytes(self._execution.device)

    def _gaussian_window(self, images: Tensor) -> Tensor:
        """Return the weights of a window, (x, y, z), on the device of the images; a window is no larger than these."""
        sides = images.shape[2:]
        window = [min(side, length) for side, length in zip(sides, self._settings.window, strict=True)]
        return gaussian_weights(window).to(images.device, non_blocking=True)

    def _in_windows(self, network: Network, images: Tensor, weights: Tensor, finite: Tensor) -> Tensor:
        """Return the mean of the windows that cover each voxel, weighted by the distance to their centres."""
        sides = images.shape[2:]
        total = torch.zeros(1, network.architecture.classes, *sides, device=images.device)
        counts = torch.zeros(*sides, device=images.device)
        for slices in sliding_windows(sides, weights.shape, self._settings.overlap):
            total[:, :, *slices] += self._probabilities(network, images[:, :, *slices], finite) * weights
            counts[*slices] += weights
        return total / counts

    def _probabilities(self, network: Network, images: Tensor, finite: Tensor) -> Tensor:
        logits = logits_of(network, images, self._execution)
        _note_non_finite(finite, logits)  # the softmax would turn minus infinity into a probability of 0
        return probabilities_of(logits, self._unused)


def _network_output(probabilities: Tensor) -> _NetworkOutput:
    """Return the mask of a network and its sums, from probabilities (classes, x, y, z)."""
    mask = probabilities.max(dim=0).indices.to(torch.uint8)
    # Class by class: a product with all classes would need as much memory as the probabilities.
    rows = [
        torch.stack([(of_class * (mask == label)).sum() for of_class in probabilities])
        for label in range(len(probabilities))
    ]
    return _NetworkOutput(mask, torch.stack(rows))


def _output_sums(outputs: Sequence[_NetworkOutput], probabilities: Tensor) -> Iterator[OutputSums]:
    """Yield the sums of each network. probabilities: the mean over the networks (classes, x, y, z), on the CPU."""
    classes = len(probabilities)
    masks = [output.mask.cpu().numpy() for output in outputs]
    together = masks[0] if len(masks) == 1 else mask_of(probabilities)
    for output, mask in zip(outputs, masks, strict=True):
        pairs = np.bincount((classes * mask.astype(np.intp) + together).ravel(), minlength=classes**2)
        yield OutputSums(output.sums.cpu().numpy().astype(np.float64), pairs.reshape(classes, classes))


def _note_non_finite(finite: Tensor, values: Tensor) -> None:
    """Set a bool () to False, on its device, if any of the values is NaN or infinite."""
    extremes = torch.stack(values.aminmax())  # NaN if any voxel is NaN, without a copy of the values
    finite &= torch.isfinite(extremes).all()


def _mirror_axes() -> list[tuple[int, ...]]:
    """Return the axes of (B, C, X, Y, Z) to flip for each of the eight mirror images. The first one flips none."""
    return [axes for count in range(4) for axes in combinations((2, 3, 4), count)]
