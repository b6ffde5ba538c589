"""Detect predictions that would fit far better flipped or with permuted axes, which suggests a wrong header."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorseg.errors import Message
from tumorseg.orientation import axis_names

MIN_DICE_GAIN: Final = 0.3
MIN_REORIENTED_DICE: Final = 0.5
"""A hint is given if the Dice of a reoriented copy is above this and exceeds the present Dice by more than the gain."""
_MAX_SAMPLED_VOXELS: Final = 2**18


@dataclass(frozen=True)
class OrientationHint:
    """The reorientation with which a mask fits best.

    Attributes:
        dice: whole-tumour Dice of the mask as it is.
        reoriented_dice: whole-tumour Dice of the reoriented mask.
        change: the reorientation in words, such as `flipped left-right`.
    """

    dice: float
    reoriented_dice: float
    change: str

    def message(self) -> Message:
        """Return the hint as a sentence."""
        return (
            f"the whole-tumour Dice is {self.dice:.2f} and would be {self.reoriented_dice:.2f} with the mask "
            f"{self.change}; check its orientation and its header (it is scored as it is)"
        )


def can_improve(dice: float) -> bool:
    """Return whether the Dice is low enough for a reoriented copy to fit far better."""
    return dice + MIN_DICE_GAIN < 1


def orientation_hint(
    reference: NDArray[np.uint8], prediction: NDArray[np.uint8], affine: ArrayLike
) -> OrientationHint | None:
    """Return the reorientation with which a prediction fits its reference far better; None if there is none.

    Axes are permuted only if they have the same length. Of equally good reorientations, the one with the fewest changes
    is returned. A large prediction is subsampled to about 262,000 voxels.

    Args:
        reference: labels, uint8 (X, Y, Z). All values other than 0 count as tumour.
        prediction: labels, uint8, of the same shape.
        affine: affine of both masks, (4, 4).
    """
    reference_tumour = reference != 0
    predicted = np.flatnonzero(prediction)
    total = predicted.size + int(np.count_nonzero(reference_tumour))
    if total == 0:
        return None
    dice_as_is = 2 * int(np.count_nonzero(reference_tumour.reshape(-1)[predicted])) / total
    threshold = max(MIN_REORIENTED_DICE, dice_as_is + MIN_DICE_GAIN)
    if 2 * min(predicted.size, total - predicted.size) / total <= threshold:
        return None
    step = max(1, predicted.size // _MAX_SAMPLED_VOXELS)
    voxels = np.unravel_index(predicted[::step], prediction.shape)
    best = None
    for axes, flips in _axis_changes(prediction.shape):
        indices = tuple(
            length - 1 - voxels[axis] if flip else voxels[axis]
            for axis, flip, length in zip(axes, flips, prediction.shape, strict=True)
        )
        dice = min(1.0, 2 * step * int(np.count_nonzero(reference_tumour[indices])) / total)
        if dice > threshold:
            change = _describe_change(axes, flips, axis_names(affine))
            threshold, best = dice, OrientationHint(dice_as_is, dice, change)
    return best


def _axis_changes(shape: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], tuple[bool, ...]]]:
    """Yield each order of the axes that keeps the shape, with the axes to flip, fewest changes first."""
    orders = [axes for axes in permutations(range(3)) if tuple(shape[axis] for axis in axes) == shape]
    changes = [(axes, flips) for axes in orders for flips in product((False, True), repeat=3)]
    changes.sort(key=lambda change: (sum(axis != index for index, axis in enumerate(change[0])), sum(change[1])))
    yield from changes[1:]  # the first one changes nothing


def _describe_change(axes: tuple[int, ...], flips: tuple[bool, ...], names: list[str]) -> Message:
    flipped = [name for name, flip in zip(names, flips, strict=True) if flip]
    changes: list[Message] = []
    if axes != (0, 1, 2):
        changes.append(f"with its axes in the order {', '.join(str(axis + 1) for axis in axes)}")
    if flipped:
        changes.append(f"flipped {' and '.join(flipped)}")
    return " and ".join(changes)
