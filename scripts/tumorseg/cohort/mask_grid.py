"""Move a mask to the voxel grid of its images if their voxel centres coincide; never resample it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.mask_checks import NonzeroVoxels, read_labels
from tumorseg.errors import Message
from tumorseg.geometry import AFFINE_TOLERANCE_MM, Grid, format_shape, same_affine, same_grid
from tumorseg.io.volume_limits import chunks

_POSITION_UNKNOWN: Final[Message] = "the position of the mask is unknown, since a header gives no orientation"


class OrientedGrid(Grid, Protocol):
    """A grid, and whether a header gives its orientation; if not, its affine is a guess."""

    @property
    def oriented(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class VoxelGrid:
    """A grid without voxel values (see `OrientedGrid`)."""

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    oriented: bool = True


@dataclass(frozen=True, eq=False)
class MovedMask:
    """A mask that was moved to another grid, or the reason why it does not fit.

    Attributes:
        labels: labels of the mask on the other grid; None if it does not fit.
        problem: why it does not fit; empty if it fits.
        notes: what was done with the mask, by warning code; empty if it was on that grid already.
    """

    labels: NonzeroVoxels | None
    problem: Message = ""
    notes: Mapping[str, Message] = field(default_factory=dict)


@dataclass(frozen=True)
class _GridMapping:
    """Index `i` along axis `axes[k]` of a grid is index `starts[k] + signs[k] * i` along axis `k` of the other."""

    axes: tuple[int, ...]
    signs: tuple[int, ...]
    starts: tuple[int, ...]


def move_to_grid(found: NonzeroVoxels, mask: OrientedGrid, target: OrientedGrid, target_name: Message) -> MovedMask:
    """Return the labels of a mask on another grid.

    The mask fits if its voxel centres coincide with the target's within `geometry.AFFINE_TOLERANCE_MM`. Its axes may
    have any order and direction, and it may be cropped to a box or padded with background. It does not fit if

    - it has another shape but the same affine, so that the removed or added voxels are unknown,
    - it is as long as the target along an axis but shifted,
    - it marks tumour outside the target.

    Some tools lose the orientation. If a header gives none, the mask fits if its shape and voxel size equal the
    target's. Its voxels are then those of the target with the same indices.

    Args:
        found: labels of the mask, at positions in its own grid.
        mask: grid of the mask.
        target: grid to move the labels to.
        target_name: name of the target in messages, such as "the images".

    Returns:
        The labels at positions in `target`, or the reason why the mask does not fit.
    """
    if same_grid(mask, target):
        return MovedMask(found)
    possessive = f"{target_name}'" if target_name.endswith("s") else f"{target_name}'s"
    if not (mask.oriented and target.oriented) and mask.shape == target.shape and _same_voxel_size(mask, target):
        note: Message = f"{_POSITION_UNKNOWN}; its voxels are assumed to match those of {target_name} by index"
        return MovedMask(found, notes={"orientation_unknown": note})
    orientation_known = mask.oriented and target.oriented and not same_affine(mask.affine, target.affine)
    mapping = _grid_mapping(mask, target) if orientation_known else None
    if mapping is None:
        return MovedMask(None, _describe_difference(mask, target, target_name, possessive))
    sides = tuple(mask.shape[axis] for axis in mapping.axes)
    firsts = [
        start if sign > 0 else start - side + 1
        for start, sign, side in zip(mapping.starts, mapping.signs, sides, strict=True)
    ]
    contained = all(
        (first >= 0 and first + side <= length) or (first <= 0 and first + side >= length)
        for first, side, length in zip(firsts, sides, target.shape, strict=True)
    )
    if not contained:
        return MovedMask(None, _describe_difference(mask, target, target_name, possessive))
    moved = _move_labels(found, mask.shape, target.shape, mapping)
    if moved is None:
        return MovedMask(
            None,
            f"by its affine, the mask marks tumour outside the grid of {target_name}; correct its header or replace it",
        )
    notes: dict[str, Message] = {}
    if (mapping.axes, mapping.signs) != ((0, 1, 2), (1, 1, 1)):
        notes["mask_reoriented"] = (
            f"the axes of the mask have another order or direction than {possessive}; it was reoriented to their grid, "
            "without interpolation"
        )
    if (sides, firsts) != (target.shape, [0, 0, 0]):
        notes["mask_extent"] = (
            f"the mask covers {format_shape(sides)} voxels from voxel {tuple(firsts)} of {possessive} "
            f"{format_shape(target.shape)}; it was put back there, and the voxels that it does not cover are background"
        )
    return MovedMask(moved, notes=notes)


def dense_mask(found: NonzeroVoxels, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the written labels as a uint8 array of `shape` (X, Y, Z) in C order. All of them must be valid."""
    flat = np.zeros(int(np.prod(shape)), np.uint8)
    flat[found.where] = found.values
    return np.ascontiguousarray(flat.reshape(shape, order="F"))


def _same_voxel_size(mask: Grid, target: Grid) -> bool:
    """Return whether the voxel edges of both are equal within the tolerance."""
    one, other = (np.linalg.norm(grid.affine[:3, :3], axis=0) for grid in (mask, target))
    return bool(np.abs(one - other).max() <= AFFINE_TOLERANCE_MM)


def _grid_mapping(mask: Grid, target: Grid) -> _GridMapping | None:
    """Return the mapping from the mask's to the target's voxels; None if their centres do not coincide."""
    exact = np.linalg.solve(target.affine, mask.affine)
    whole = np.rint(exact)
    turn = whole[:3, :3]
    used = np.abs(turn)
    if not ((used.sum(axis=0) == 1).all() and (used.sum(axis=1) == 1).all()):
        return None
    if not same_affine(target.affine @ whole, mask.affine):
        return None
    axes = tuple(int(axis) for axis in used.argmax(axis=1))
    signs = tuple(int(turn[row, axis]) for row, axis in enumerate(axes))
    return _GridMapping(axes, signs, tuple(int(start) for start in whole[:3, 3]))


def _move_labels(
    found: NonzeroVoxels, shape: tuple[int, ...], target: tuple[int, ...], mapping: _GridMapping
) -> NonzeroVoxels | None:
    """Return the labels on the grid of `target`; None if one lies outside. Uses one byte per voxel of `target`."""
    volume = np.zeros(int(np.prod(target)), np.uint8)
    along = list(zip(mapping.axes, mapping.signs, mapping.starts, strict=True))
    for part in chunks(found.where.size):
        indices = np.unravel_index(found.where[part], shape, order="F")
        moved = [start + sign * indices[axis] for axis, sign, start in along]
        if any(index.min() < 0 or index.max() >= length for index, length in zip(moved, target, strict=True)):
            return None
        volume[np.ravel_multi_index(moved, target, order="F")] = found.values[part] if found.all_valid else 1
    on_target = read_labels(volume)
    if found.all_valid:
        return replace(on_target, rounded=found.rounded)
    return replace(found, where=on_target.where)


def _describe_difference(
    mask: OrientedGrid, target: OrientedGrid, target_name: Message, possessive: Message
) -> Message:
    """Return how the grid of a mask differs from the target, and what to do."""
    copy = f"copy the header of {target_name} to it if it has the same voxels"
    if mask.shape == target.shape:
        far = float(np.abs(mask.affine - target.affine).max())
        message = f"an entry of the affine differs from {possessive} by up to {far:.3g}"
    else:
        message = f"the mask is {format_shape(mask.shape)}, {target_name} {format_shape(target.shape)}"
    if not (mask.oriented and target.oriented):
        return f"{message}, and {_POSITION_UNKNOWN}; {copy if mask.shape == target.shape else 'replace it'}"
    if mask.shape == target.shape:
        return f"{message}; {copy}, otherwise resample it to that grid or replace it"
    message += "; resample it to that grid or replace it"
    if sorted(mask.shape) == sorted(target.shape):
        return f"{message} (the side lengths are the same in another order: was it transposed?)"
    if same_affine(mask.affine, target.affine):
        return f"{message} (with equal affines, the voxels that were cropped or added are unknown)"
    return message
