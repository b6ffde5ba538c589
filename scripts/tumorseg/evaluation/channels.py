"""Read predictions with one channel per region, as networks with sigmoid outputs write them.

These files do not name their channels. The order of the channels is inferred from how regions are nested in all files
of a folder. If it is ambiguous, the masks are refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.errors import InvalidMaskError, Message
from tumorseg.geometry import format_shape
from tumorseg.task import Task

PROBABILITY_THRESHOLD: Final = 0.5
"""A voxel with at least this probability belongs to the region."""
MAX_CONTRADICTING_SHARE: Final = 0.05
"""Maximum share of the channels' voxels that may contradict the nesting of the regions. Networks are not exact."""
MIN_CONTRADICTION_RATIO: Final = 5
"""The second-best order must have more than this many times the contradicting voxels of the best order."""
_SUM_TOLERANCE: Final = 0.02
_MAX_REGIONS: Final = 7
_LABEL_CHANNELS_HINT: Final = "; or, if the channels are labels, the value of each label where its channel is 1"


@dataclass(frozen=True, eq=False)
class ChannelStatistics:
    """The overlaps of the channels of a file, from which their order is inferred.

    Attributes:
        overlaps: number of voxels that each pair of channels shares, int64 (C, C). The diagonal has the number of
            voxels in each channel.
        probabilities: whether the file holds probabilities, which are thresholded.
    """

    overlaps: NDArray[np.int64]
    probabilities: bool

    def note(self, regions: Sequence[str], task: Task) -> Message:
        """Return the note for users about how the file was read.

        Args:
            regions: name of the region in each channel.
            task: defines the labels of the regions.
        """
        note = f"read as channels of regions {', '.join(regions)}"
        if self.probabilities:
            note += f" with probabilities of at least {PROBABILITY_THRESHOLD}"
        order = [regions.index(name) for name in task.region_labels]
        if outside := _contradicting_voxels(self.overlaps, order, list(task.region_labels.values())):
            note += f"; up to {outside} voxels of an inner region lie outside an outer one and were added to it"
        return note


@dataclass(frozen=True, eq=False)
class Channels:
    """The channels of a file.

    Attributes:
        masks: whether each voxel is in each channel, bool (C, X, Y, Z).
        probabilities: whether the file holds probabilities, which are thresholded.
    """

    masks: NDArray[np.bool_]
    probabilities: bool

    def statistics(self) -> ChannelStatistics:
        """Return the overlaps of the channels."""
        flat = self.masks.reshape(len(self.masks), -1)
        overlaps = np.array([[np.count_nonzero(one & other) for other in flat] for one in flat], np.int64)
        return ChannelStatistics(overlaps, self.probabilities)

    def to_labels(self, regions: Sequence[str], task: Task) -> NDArray[np.uint8]:
        """Return the channels as a mask of labels.

        Inner regions are written over outer ones. A voxel of an inner region thus belongs to the outer regions too,
        even if it is not in their channels. If the regions of the task do not determine labels, every voxel of a
        channel gets the first label.

        Args:
            regions: name of the region in each channel.
            task: defines the labels of the regions.

        Returns:
            Canonical labels, uint8 (X, Y, Z).
        """
        label_by_region = _label_by_region(task)
        if label_by_region is None:
            return np.where(self.masks.any(axis=0), task.label_values[0], 0).astype(np.uint8)
        labels = np.zeros(self.masks.shape[1:], np.uint8)
        for name, label in label_by_region.items():
            labels[self.masks[regions.index(name)]] = label
        return labels


def read_channels(array: NDArray[Any], reference_shape: Sequence[int], task: Task) -> Channels:
    """Return the channels of a file with more than three dimensions.

    Args:
        array: all voxels of the file. The channels are on the first or the last axis. Other axes of length 1 are
            removed.
        reference_shape: shape of the reference. It decides the channel axis if both fit.
        task: one channel is expected per region.

    Raises:
        InvalidMaskError: the file does not hold one channel per region. The message says how to make a 3D mask.
    """
    names = list(task.region_labels)
    axis, voxels = _channel_axis(array, tuple(reference_shape), len(names))
    if axis is None:
        raise InvalidMaskError(
            f"the volume is {format_shape(array.shape)}, which is neither a 3D mask nor one channel per region "
            f"({', '.join(names)}); {label_mask_hint(task)}{_argmax_hint(voxels.shape, task)}",
            systematic=True,
        )
    channels = np.moveaxis(voxels, axis, 0)
    low, high = channels.min(), channels.max()
    if not (low >= 0 and high <= 1):
        raise InvalidMaskError(
            f"its {len(names)} channels have values from {low:g} to {high:g}, which are neither 0 and 1 nor "
            f"probabilities; {label_mask_hint(task)}",
            systematic=True,
        )
    masks = channels >= PROBABILITY_THRESHOLD
    total = channels.sum(axis=0, dtype=np.float32)
    probabilities = not np.array_equal(masks, channels)
    # Probabilities of labels add up to 1, except where a tool has set them to 0 outside the brain.
    sums = total[total > _SUM_TOLERANCE] if probabilities else total
    if masks.any(axis=0).all() or (sums.size and np.abs(sums - 1).max() <= _SUM_TOLERANCE):
        raise InvalidMaskError(
            f"its {len(names)} channels seem to be background and labels, not the regions {', '.join(names)}, because "
            "every voxel is in one of them; write one 3D mask instead: the argmax over the channels",
            systematic=True,
        )
    return Channels(masks, probabilities)


def label_mask_hint(task: Task) -> Message:
    """Return how to make a mask of labels from regions, for the end of a message."""
    steps: list[Message] = [f"{label} where {name} is" for name, label in (_label_by_region(task) or {}).items()]
    values = f": {', then '.join(steps)}, 0 elsewhere" if steps else ""
    return f"write one 3D mask instead{values}"


def _argmax_hint(shape: Sequence[int], task: Task) -> str:
    """Return a second hint for the end of a message if the channels could be background and labels."""
    counts = {len(task.label_values) + 1, task.classes} & {shape[0], shape[-1]}
    return "; or, if its channels are background and labels, the argmax over them" if counts else ""


def assign_regions(overlaps: Sequence[NDArray[np.int64]], task: Task) -> tuple[str, ...]:
    """Return the region of each channel, from the overlaps of the channels in all files of a folder.

    Args:
        overlaps: the overlaps of each file, see `ChannelStatistics`.
        task: defines the nesting of the regions. Each file has one channel per region.

    Raises:
        InvalidMaskError: the files do not show which channel is which region.
    """
    names = tuple(task.region_labels)
    if _label_by_region(task) is None or len(names) > _MAX_REGIONS:
        raise InvalidMaskError(
            f"they have one channel per region ({', '.join(names)}), but these regions do not determine the labels; "
            f"{label_mask_hint(task)}"
        )
    total = np.sum(overlaps, axis=0)
    sizes_voxels = np.diagonal(total)
    if sizes_voxels.sum() == 0:
        return names  # nothing is predicted, so any order is right
    first_equal = _equal_channels(total)
    candidates: dict[tuple[int, ...], tuple[int, tuple[int, ...]]] = {}
    for order in permutations(range(len(names))):  # order[i]: the channel of region i
        contradicting = _contradicting_voxels(total, order, list(task.region_labels.values()))
        equivalent = tuple(first_equal[channel] for channel in order)
        if equivalent not in candidates:
            candidates[equivalent] = contradicting, order
    (best, order), *others = sorted(candidates.values())
    shared = total.sum() - sizes_voxels.sum()
    is_clear = not others or others[0][0] > MIN_CONTRADICTION_RATIO * best
    if shared == 0 or best > MAX_CONTRADICTING_SHARE * sizes_voxels.sum() or not is_clear:
        raise InvalidMaskError(
            f"they have {len(names)} channels, but their nesting does not show which ones are the regions "
            f"{', '.join(names)}; {label_mask_hint(task)}{'' if shared else _LABEL_CHANNELS_HINT}"
        )
    regions = dict(zip(order, names, strict=True))
    return tuple(regions[channel] for channel in range(len(names)))


def _channel_axis(array: NDArray[Any], reference_shape: tuple[int, ...], count: int) -> tuple[int | None, NDArray[Any]]:
    """Return the axis of the channels (None if no axis or more than one fits) and the array without extra axes."""
    extra = [axis for axis, length in enumerate(array.shape) if length == 1]
    voxels = np.squeeze(array, axis=tuple(extra)) if array.ndim > 4 and array.ndim - len(extra) == 4 else array
    if voxels.ndim != 4 or count < 2:
        return None, voxels
    grids = {axis: np.delete(voxels.shape, axis) for axis in (3, 0) if voxels.shape[axis] == count}
    axes = [axis for axis, grid in grids.items() if tuple(grid) == reference_shape] or list(grids)
    return (axes[0] if len(axes) == 1 else None), voxels


def _label_by_region(task: Task) -> dict[str, int] | None:
    """Return the label to write for each region, outer regions first; None if regions do not determine labels."""
    regions = task.region_labels
    outer_only = {
        name: set(labels).difference(*(other for other in regions.values() if set(other) < set(labels)))
        for name, labels in regions.items()
    }
    label_by_region = {name: min(labels) for name, labels in outer_only.items() if len(labels) == 1}
    if len(label_by_region) < len(regions) or set(label_by_region.values()) != set(task.label_values):
        return None
    return dict(sorted(label_by_region.items(), key=lambda item: -len(regions[item[0]])))


def _contradicting_voxels(total: NDArray[np.int64], order: Sequence[int], labels: Sequence[tuple[int, ...]]) -> int:
    """Return the number of voxels that contradict the nesting of the regions in an order of the channels."""
    contradicting = 0
    for one, other in combinations(range(len(labels)), 2):
        inner, outer = (one, other) if len(labels[one]) <= len(labels[other]) else (other, one)
        shared = int(total[order[inner], order[outer]])
        if not set(labels[inner]) & set(labels[outer]):
            contradicting += shared
        elif set(labels[inner]) <= set(labels[outer]):
            contradicting += int(total[order[inner], order[inner]]) - shared
    return contradicting


def _equal_channels(total: NDArray[np.int64]) -> list[int]:
    """Return, for each channel, the first channel that is equal to it in all files."""
    sizes_voxels = np.diagonal(total)
    channels = range(len(sizes_voxels))
    return [
        next(other for other in channels if total[one, other] == sizes_voxels[one] == sizes_voxels[other])
        for one in channels
    ]
