"""Read predictions with one channel per region, as networks with sigmoid outputs write them.

Such a file does not name its channels. Their order follows from how regions are nested, over all files of a folder;
if it is ambiguous, the masks are refused.
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
"""A voxel of at least this probability belongs to the region."""
MAX_CONTRADICTING_SHARE: Final = 0.05
"""The share of the channels' voxels that may contradict how regions lie in each other: networks are not exact."""
MIN_CONTRADICTION_RATIO: Final = 5
"""The next best order has to contradict that so many times as often."""
_SUM_TOLERANCE: Final = 0.02
_MAX_REGIONS: Final = 7
_LABEL_CHANNELS_HINT: Final = (
    "; or, if they are labels, which do not overlap, the value of each label where its channel is"
)


@dataclass(frozen=True, eq=False)
class ChannelStatistics:
    """What shows the order of the channels of a file.

    overlaps: voxels that each pair of channels shares, int64 (C, C); on the diagonal those of each channel.
    probabilities: whether the file holds probabilities, which are thresholded.
    """

    overlaps: NDArray[np.int64]
    probabilities: bool

    def note(self, regions: Sequence[str], task: Task) -> Message:
        """What a person should know of a file that is read as regions. regions: of each channel."""
        note = f"read as channels of regions {', '.join(regions)}"
        if self.probabilities:
            note += f", as probabilities of at least {PROBABILITY_THRESHOLD}"
        order = [regions.index(name) for name in task.region_labels]
        if outside := _contradicting_voxels(self.overlaps, order, list(task.region_labels.values())):
            note += f"; in up to {outside} voxels an inner region lies outside an outer one, and was added to it"
        return note


@dataclass(frozen=True, eq=False)
class Channels:
    """The channels of a file. inside: boolean (C, X, Y, Z). probabilities: see `ChannelFacts`."""

    masks: NDArray[np.bool_]
    probabilities: bool

    def statistics(self) -> ChannelStatistics:
        """What shows the order of the channels."""
        flat = self.masks.reshape(len(self.masks), -1)
        overlaps = np.array([[np.count_nonzero(one & other) for other in flat] for one in flat], np.int64)
        return ChannelStatistics(overlaps, self.probabilities)

    def to_labels(self, regions: Sequence[str], task: Task) -> NDArray[np.uint8]:
        """Return the labels of the task, uint8 (X, Y, Z). regions: of each channel.

        Regions are painted over each other, the inner ones last. A voxel of an inner region belongs to the outer ones
        too, whatever their channels say there. Where regions do not determine labels, all inside is the first label.
        """
        painting = _label_by_region(task)
        if painting is None:
            return np.where(self.masks.any(axis=0), task.label_values[0], 0).astype(np.uint8)
        labels = np.zeros(self.masks.shape[1:], np.uint8)
        for name, label in painting.items():
            labels[self.masks[regions.index(name)]] = label
        return labels


def read_channels(array: NDArray[Any], reference_shape: Sequence[int], task: Task) -> Channels:
    """Return the channels of a file of more than three dimensions.

    Args:
        array: all voxels of the file; the channels are its first or its last axis, and other axes of length 1 go.
        reference: the shape of the reference, which tells the axis where both could be it.
        task: a channel is expected for each of its regions.

    Raises:
        UnsoundMask: the file does not hold such channels; with the way to make one mask of it.
    """
    names = list(task.region_labels)
    axis, voxels = _channel_axis(array, tuple(reference_shape), len(names))
    if axis is None:
        raise InvalidMaskError(
            f"the volume is {format_shape(array.shape)}, neither a mask of three dimensions nor a channel for each of the "
            f"regions {', '.join(names)}; {label_mask_hint(task)}{_argmax_hint(voxels.shape, task)}",
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
    inside = channels >= PROBABILITY_THRESHOLD
    total = channels.sum(axis=0, dtype=np.float32)
    probabilities = not np.array_equal(inside, channels)
    labels_too = total[total > _SUM_TOLERANCE] if probabilities else total
    if inside.any(axis=0).all() or (labels_too.size and np.abs(labels_too - 1).max() <= _SUM_TOLERANCE):
        raise InvalidMaskError(
            f"its {len(names)} channels seem to be background and labels, not the regions {', '.join(names)}: one of "
            "them holds in every voxel; write one mask of three dimensions instead, the argmax over the channels",
            systematic=True,
        )
    return Channels(inside, probabilities)


def label_mask_hint(task: Task) -> Message:
    """How to make a mask of labels from regions, as the end of a message."""
    steps: list[Message] = [f"{label} where {name} is" for name, label in (_label_by_region(task) or {}).items()]
    values = f": {', then '.join(steps)}, 0 elsewhere" if steps else ""
    return f"write one mask of three dimensions instead{values}"


def _argmax_hint(shape: Sequence[int], task: Task) -> str:
    """The other way to labels, as the end of a message, where as many channels are there as background and labels."""
    counts = {len(task.label_values) + 1, task.classes} & {shape[0], shape[-1]}
    return "; or, if its channels are background and labels, the argmax over them" if counts else ""


def assign_regions(overlaps: Sequence[NDArray[np.int64]], task: Task) -> tuple[str, ...]:
    """Return the region of each channel, in their order.

    overlaps: of each file of a folder, see `ChannelFacts`, with a channel for each region.
    Raises UnsoundMask where the files do not show which channel is which region.
    """
    names = tuple(task.region_labels)
    if _label_by_region(task) is None or len(names) > _MAX_REGIONS:
        raise InvalidMaskError(
            f"they have a channel for each of the regions {', '.join(names)}, which do not say which label a voxel "
            f"has; {label_mask_hint(task)}"
        )
    total = np.sum(overlaps, axis=0)
    sizes = np.diagonal(total)
    if sizes.sum() == 0:
        return names  # nothing is predicted: every order says so
    classes = _equal_channels(total)
    misfits: dict[tuple[int, ...], tuple[int, tuple[int, ...]]] = {}
    for order in permutations(range(len(names))):  # order[i]: the channel of region i
        misfit = _contradicting_voxels(total, order, list(task.region_labels.values()))
        same = tuple(classes[channel] for channel in order)
        if same not in misfits:
            misfits[same] = misfit, order
    (best, order), *others = sorted(misfits.values())
    shared = total.sum() - sizes.sum()
    clear = not others or others[0][0] > MIN_CONTRADICTION_RATIO * best
    if shared == 0 or best > MAX_CONTRADICTING_SHARE * sizes.sum() or not clear:
        raise InvalidMaskError(
            f"they have {len(names)} channels, and how these lie in each other does not show which of them are the "
            f"regions {', '.join(names)}; {label_mask_hint(task)}{'' if shared else _LABEL_CHANNELS_HINT}"
        )
    regions = dict(zip(order, names, strict=True))
    return tuple(regions[channel] for channel in range(len(names)))


def _channel_axis(array: NDArray[Any], reference_shape: tuple[int, ...], count: int) -> tuple[int | None, NDArray[Any]]:
    """The axis of the channels, None where there is none or two could be it, and the array of four dimensions."""
    extra = [axis for axis, length in enumerate(array.shape) if length == 1]
    voxels = np.squeeze(array, axis=tuple(extra)) if array.ndim > 4 and array.ndim - len(extra) == 4 else array
    if voxels.ndim != 4 or count < 2:
        return None, voxels
    rests = {axis: np.delete(voxels.shape, axis) for axis in (3, 0) if voxels.shape[axis] == count}
    fitting = [axis for axis, rest in rests.items() if tuple(rest) == reference_shape] or list(rests)
    return (fitting[0] if len(fitting) == 1 else None), voxels


def _label_by_region(task: Task) -> dict[str, int] | None:
    """The label that is painted for each region, outer regions first; None where regions do not determine labels."""
    regions = task.region_labels
    own = {
        name: set(labels).difference(*(other for other in regions.values() if set(other) < set(labels)))
        for name, labels in regions.items()
    }
    single = {name: min(labels) for name, labels in own.items() if len(labels) == 1}
    if len(single) < len(regions) or set(single.values()) != set(task.label_values):
        return None
    return dict(sorted(single.items(), key=lambda item: -len(regions[item[0]])))


def _contradicting_voxels(total: NDArray[np.int64], order: Sequence[int], labels: Sequence[tuple[int, ...]]) -> int:
    """Voxels that contradict an order of the channels."""
    misfit = 0
    for one, other in combinations(range(len(labels)), 2):
        inner, outer = (one, other) if len(labels[one]) <= len(labels[other]) else (other, one)
        shared = int(total[order[inner], order[outer]])
        if not set(labels[inner]) & set(labels[outer]):
            misfit += shared
        elif set(labels[inner]) <= set(labels[outer]):
            misfit += int(total[order[inner], order[inner]]) - shared
    return misfit


def _equal_channels(total: NDArray[np.int64]) -> list[int]:
    """For each channel the first one that is equal to it in all files."""
    sizes = np.diagonal(total)
    return [
        next(other for other in range(len(sizes)) if total[one, other] == sizes[one] == sizes[other])
        for one in range(len(sizes))
    ]
