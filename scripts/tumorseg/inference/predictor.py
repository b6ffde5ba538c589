"""What one network, or the mean of several, says of a whole case."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tumorseg.console import logger
from tumorseg.errors import UserError
from tumorseg.inference.folding import folded
from tumorseg.inference.memory import forward_bytes
from tumorseg.inference.settings import PredictionSettings
from tumorseg.inference.whole_volume import logits_of, mask_of, pad_image, probabilities_of
from tumorseg.inference.windows import gaussian, windows
from tumorseg.network.execution import Execution
from tumorseg.network.memory import device_bytes
from tumorseg.network.protocol import Network


class NotFinite(UserError):  # noqa: N818 - as NaN is not a number
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
        self._networks = [folded(network).to(execution.device) for network in networks]
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
        flips = _mirrors() if self._settings.flips else [()]
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
        weights = gaussian(window).to(images.device)
        total = torch.zeros(1, network.architecture.classes, *sides, device=images.device)
        counts = torch.zeros(*sides, device=images.device)
        for place in windows(sides, window, self._settings.overlap):
            total[:, :, *place] += self._probabilities(network, images[:, :, *place]) * weights
            counts[*place] += weights
        return total / counts

    def _probabilities(self, network: Network, images: Tensor) -> Tensor:
        logits = logits_of(network, images, self._execution)
        _require_finite(logits)  # the softmax would make a probability of 0 of minus infinity
        return probabilities_of(logits, self._unused)


def _require_finite(answer: Tensor) -> None:
    extremes = torch.stack(answer.aminmax())  # NaN where one voxel is, and no copy of the answer
    if not bool(torch.isfinite(extremes).all()):
        raise NotFinite(
            "the network's answer is not a number in some voxels; look at the images, try another model, and where it "
            "computed in fp16, set training.precision to fp32"
        )


def _mirrors() -> list[tuple[int, ...]]:
    """The axes of (B, C, X, Y, Z) that are flipped in each of the eight mirror images, none first."""
    return [axes for count in range(4) for axes in combinations((2, 3, 4), count)]
