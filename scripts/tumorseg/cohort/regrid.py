"""A mask on the voxel grid of its images, where both share their voxel centres: turned and moved, never resampled."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.images import AFFINE_TOLERANCE, Grid, same_affine, same_grid, size_text
from tumorseg.cohort.mask import Labels, read_labels
from tumorseg.cohort.pieces import pieces
from tumorseg.errors import Message

_LOST: Final[Message] = "where the mask lies is not known, since a header gives no orientation"


class OrientedGrid(Grid, Protocol):
    """A grid, and whether a header says where it lies; where not, its affine is a guess."""

    @property
    def oriented(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class VoxelGrid:
    """A grid by itself, see `OrientedGrid`."""

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    oriented: bool = True


@dataclass(frozen=True, eq=False)
class Regridded:
    """labels: those of the mask on the other grid, None where it does not fit there. problem: why it does not, or "".

    notes: by warning code, what had to be done with the mask; empty where it was on that grid already.
    """

    labels: Labels | None
    problem: Message = ""
    notes: Mapping[str, Message] = field(default_factory=dict)


@dataclass(frozen=True)
class _Steps:
    """Index `i` along axis `axes[k]` of a grid is index `starts[k] + signs[k] * i` along axis `k` of the other."""

    axes: tuple[int, ...]
    signs: tuple[int, ...]
    starts: tuple[int, ...]


def regrid(found: Labels, mask: OrientedGrid, target: OrientedGrid, whose: Message) -> Regridded:
    """The labels of a mask on the grid `target`, in the order of memory there.

    It fits where its voxel centres, within `images.AFFINE_TOLERANCE`, are centres of the target's voxels too: with axes
    in any order and direction, cropped to a box, or padded with background. It does not fit where nothing says which
    voxels were cut or added (another shape, the same affine), where it is as long as the target along an axis and yet
    displaced, and where it marks tumour beyond the target.
    Where a header gives no orientation, it is taken to have the voxels of the target if both have one shape and voxels
    of one size, as tools write that lose the header; else it does not fit.

    mask: its own grid. whose: the target in words, such as "the images".
    """
    if same_grid(mask, target):
        return Regridded(found)
    possessive = f"{whose}'" if whose.endswith("s") else f"{whose}'s"
    if not (mask.oriented and target.oriented) and mask.shape == target.shape and _same_edges(mask, target):
        return Regridded(found, notes={"orientation_unknown": f"{_LOST}; it is taken to have the voxels of {whose}"})
    told = mask.oriented and target.oriented and not same_affine(mask.affine, target.affine)
    steps = _steps(mask, target) if told else None
    if steps is None:
        return Regridded(None, _difference(mask, target, whose, possessive))
    sides = tuple(mask.shape[axis] for axis in steps.axes)
    firsts = [
        start if sign > 0 else start - side + 1
        for start, sign, side in zip(steps.starts, steps.signs, sides, strict=True)
    ]
    contained = all(
        (first >= 0 and first + side <= length) or (first <= 0 and first + side >= length)
        for first, side, length in zip(firsts, sides, target.shape, strict=True)
    )
    if not contained:
        return Regridded(None, _difference(mask, target, whose, possessive))
    moved = _moved(found, mask.shape, target.shape, steps)
    if moved is None:
        return Regridded(
            None,
            f"the mask marks tumour beyond the grid of {whose}, where its affine places it; correct its header, or "
            "replace it",
        )
    notes: dict[str, Message] = {}
    if (steps.axes, steps.signs) != ((0, 1, 2), (1, 1, 1)):
        notes["mask_reoriented"] = (
            f"the axes of the mask run in another order or direction than {possessive}; it was turned to their grid, "
            "without interpolation"
        )
    if (sides, firsts) != (target.shape, [0, 0, 0]):
        notes["mask_extent"] = (
            f"the mask covers {size_text(sides)} voxels from voxel {tuple(firsts)} of {possessive} "
            f"{size_text(target.shape)}; it was put back there, and what it does not cover is background"
        )
    return Regridded(moved, notes=notes)


def dense(found: Labels, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The labels as they are written, as an array of `shape` (X, Y, Z) in C order. All of them must be sound."""
    flat = np.zeros(int(np.prod(shape)), np.uint8)
    flat[found.where] = found.written
    return np.ascontiguousarray(flat.reshape(shape, order="F"))


def _same_edges(mask: Grid, target: Grid) -> bool:
    """Whether the voxels of both have edges of one length, within the tolerance."""
    one, other = (np.linalg.norm(grid.affine[:3, :3], axis=0) for grid in (mask, target))
    return bool(np.abs(one - other).max() <= AFFINE_TOLERANCE)


def _steps(mask: Grid, target: Grid) -> _Steps | None:
    """None where the voxel centres of both do not fall together."""
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
    return _Steps(axes, signs, tuple(int(start) for start in whole[:3, 3]))


def _moved(found: Labels, shape: tuple[int, ...], target: tuple[int, ...], steps: _Steps) -> Labels | None:
    """The labels on the grid of `target`; None where one lies beyond it. Takes a byte for each voxel of it."""
    volume = np.zeros(int(np.prod(target)), np.uint8)
    sound = found.written.size == found.where.size
    along = list(zip(steps.axes, steps.signs, steps.starts, strict=True))
    for part in pieces(found.where.size):
        indices = np.unravel_index(found.where[part], shape, order="F")
        moved = [start + sign * indices[axis] for axis, sign, start in along]
        if any(index.min() < 0 or index.max() >= length for index, length in zip(moved, target, strict=True)):
            return None
        volume[np.ravel_multi_index(moved, target, order="F")] = found.written[part] if sound else 1
    on_target = read_labels(volume)
    if sound:
        return replace(on_target, rounded=found.rounded)
    return replace(found, where=on_target.where)


def _difference(mask: OrientedGrid, target: OrientedGrid, whose: Message, possessive: Message) -> Message:
    """How the grid of a mask differs from the one that it should lie on, and what to do."""
    copy = f"copy the header of {whose} to it if it has the same voxels"
    if mask.shape == target.shape:
        far = float(np.abs(mask.affine - target.affine).max())
        message = f"the affine differs from {possessive} by up to {far:.3g}"
    else:
        message = f"the mask is {size_text(mask.shape)}, {whose} {size_text(target.shape)}"
    if not (mask.oriented and target.oriented):
        return f"{message}, and {_LOST}; {copy if mask.shape == target.shape else 'replace it'}"
    if mask.shape == target.shape:
        return f"{message}; {copy}, else resample it to that grid, or replace it"
    message += "; resample it to that grid, or replace it"
    if sorted(mask.shape) == sorted(target.shape):
        return f"{message} (its sides are the same in another order: was it transposed?)"
    if same_affine(mask.affine, target.affine):
        return f"{message} (with equal affines, nothing tells which voxels were cut off or added)"
    return message
