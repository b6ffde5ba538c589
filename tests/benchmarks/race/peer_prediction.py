"""Masks of the other methods, predicted in sliding windows or as whole volumes."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from tests.benchmarks.training import WIDTHS
from tests.support.builders import TASK
from tumorseg.preprocessing.resampling import restore_probabilities
from tumorseg.preprocessing.store import NormalisedCase

LABELS = (0, *TASK.label_values)
"""The label of each class of the networks, which have no unused class."""
PATCH = (64, 64, 64)
"""Shape of the training patches and of the windows."""
OVERLAP = 0.5
"""Overlap of neighbouring windows, as a fraction of their side."""

Logits = Callable[[Tensor], Tensor]
"""Returns the logits (N, classes, X, Y, Z) of images (N, C, X, Y, Z)."""


@dataclass(frozen=True)
class Way:
    """A way to predict.

    windows: sliding windows of the size of the training patches, with Gaussian weights; else the whole volume.
    mirroring: the mean over 8 mirror images.
    """

    windows: bool
    mirroring: bool

    @property
    def suffix(self) -> str:
        """What the table adds to the name of the method; mirroring has a column of its own."""
        return ", windows" if self.windows else ", whole volumes"


def ways(*, own_mirroring: bool, mirroring: bool) -> list[Way]:
    """Return the ways in which a method is scored, its own way first.

    own_mirroring: whether the package itself mirrors.
    mirroring: whether the recipe of this workflow does.
    """
    found = [Way(windows=True, mirroring=own_mirroring), Way(windows=False, mirroring=False)]
    if mirroring:
        found += [Way(windows=True, mirroring=True), Way(windows=False, mirroring=True)]
    return list(dict.fromkeys(found))


def predict_mask(predict: Logits, case: NormalisedCase, way: Way) -> NDArray[np.uint8]:
    """Return the mask of a whole case on its cropped grid, uint8 (x, y, z).

    As in nnU-Net, the mean over windows and mirror images is that of the logits.
    """
    flips = [axes for number in range(4) for axes in combinations((2, 3, 4), number)] if way.mirroring else [()]

    def logits(images: Tensor) -> Tensor:
        mirrored = (predict(images.flip(axes)).flip(axes) for axes in flips)
        return sum(mirrored, torch.zeros(())) / len(flips)

    image = torch.from_numpy(case.image)[None].float()
    with torch.inference_mode():
        found = _in_windows(logits, image) if way.windows else _whole(logits, image)
    probabilities = restore_probabilities(found.softmax(1)[0].numpy(), case.origin.resampled)
    return np.array(LABELS, np.uint8)[probabilities.argmax(0)]


def _whole(logits: Logits, image: Tensor) -> Tensor:
    """Return the logits of an image, padded to sides that the networks accept."""
    x, y, z = sides = image.shape[2:]
    margins = [amount for side in reversed(sides) for amount in (0, -side % 2 ** (len(WIDTHS) - 1))]
    return logits(pad(image, margins))[:, :, :x, :y, :z]


def _in_windows(logits: Logits, image: Tensor) -> Tensor:
    """Return the logits of an image by MONAI's sliding windows; an image below a window's size is padded with zeros."""
    with warnings.catch_warnings(action="ignore"):
        from monai.inferers.utils import sliding_window_inference

        found = sliding_window_inference(image, PATCH, 1, logits, overlap=OVERLAP, mode="gaussian")
    assert isinstance(found, Tensor)
    return found
