"""Detect predictions that a flip or an axis permutation would make fit far better: a sign of a lost header."""

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
"""A copy fits far better where its Dice is above this and above that of the mask as it is by more than the gain."""
_MAX_SAMPLED_VOXELS: Final = 2**18


@dataclass(frozen=True)
class OrientationHint:
    """How a mask would fit best, such as "flipped left-right". given, turned: its whole-tumour Dice, and then."""

    dice: float
    reoriented_dice: float
    change: str

    def message(self) -> Message:
        """The hint in a sentence."""
        return (
            f"the whole-tumour Dice is {self.dice:.2f} and would be {self.reoriented_dice:.2f} with the mask {self.change}; "
            "check its orientation and its header (it is scored as it is)"
        )


def can_improve(dice: float) -> bool:
    """Whether a copy could fit far better than a mask of this Dice."""
    return dice + MIN_DICE_GAIN < 1


def orientation_hint(
    prediction: NDArray[np.uint8], reference: NDArray[np.uint8], affine: ArrayLike
) -> OrientationHint | None:
    """The mirrored or transposed copy of a prediction that fits its reference far better than the mask as it is.

    prediction, reference: masks of equal shape (X, Y, Z) on the grid of `affine`; all that is not 0 is tumour. Of
    copies that fit alike the simplest is taken, and axes are exchanged only where they are equally long. A large
    prediction is thinned for this to about 262,000 voxels.
    """
    tumour = reference != 0
    there = np.flatnonzero(prediction)
    total = there.size + int(np.count_nonzero(tumour))
    if total == 0:
        return None
    given = 2 * int(np.count_nonzero(tumour.reshape(-1)[there])) / total
    needed = max(MIN_REORIENTED_DICE, given + MIN_DICE_GAIN)
    if 2 * min(there.size, total - there.size) / total <= needed:
        return None
    step = max(1, there.size // _MAX_SAMPLED_VOXELS)
    voxels = np.unravel_index(there[::step], prediction.shape)
    best = None
    for axes, flips in _axis_changes(prediction.shape):
        indices = tuple(
            length - 1 - voxels[axis] if flip else voxels[axis]
            for axis, flip, length in zip(axes, flips, prediction.shape, strict=True)
        )
        dice = min(1.0, 2 * step * int(np.count_nonzero(tumour[indices])) / total)
        if dice > needed:
            needed, best = dice, OrientationHint(given, dice, _describe_change(axes, flips, axis_names(affine)))
    return best


def _axis_changes(shape: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], tuple[bool, ...]]]:
    """Axes, and whether each of them is flipped then; those with fewest changes first, without the mask as it is."""
    fitting = [axes for axes in permutations(range(3)) if tuple(shape[axis] for axis in axes) == shape]
    turns = [(axes, flips) for axes in fitting for flips in product((False, True), repeat=3)]
    turns.sort(key=lambda turn: (sum(axis != place for place, axis in enumerate(turn[0])), sum(turn[1])))
    yield from turns[1:]


def _describe_change(axes: tuple[int, ...], flips: tuple[bool, ...], names: list[str]) -> Message:
    flipped = [name for name, flip in zip(names, flips, strict=True) if flip]
    words: list[Message] = []
    if axes != (0, 1, 2):
        words.append(f"with its axes in the order {', '.join(str(axis + 1) for axis in axes)}")
    if flipped:
        words.append(f"flipped {' and '.join(flipped)}")
    return " and ".join(words)
