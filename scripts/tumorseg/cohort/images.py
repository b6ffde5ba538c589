"""Checks on the images of a case: do they agree with each other, and do their values make sense?"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128_hexdigest

from tumorseg.cohort.background import Background, stray_voxels
from tumorseg.cohort.verdict import Finding
from tumorseg.errors import Message

AFFINE_TOLERANCE: Final = 1e-3
"""Entries of two affines (millimetres) that differ by no more than this are the same."""
SAMPLED_VOXELS: Final = 2**14
NEARLY_EQUAL: Final = 0.02
"""Root mean square difference, in standard deviations, below which two modalities are suspected to be one."""

_LIMITS: Final = {float(np.iinfo(name).max): name for name in ("int16", "uint16")}
"""Largest values that images are stored with, which show in real numbers, too, after a conversion."""


class Grid(Protocol):
    """Whatever lies on a grid: voxels along each axis, voxel to millimetres (4x4)."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def affine(self) -> NDArray[np.float64]: ...  # noqa: D102


def size_text(shape: Sequence[int]) -> str:
    """A shape as people write it: 240x240x155."""
    return "x".join(map(str, shape))


def not_3d(shape: Sequence[int]) -> Message:
    """What to say of a volume that has not three dimensions."""
    several = "; export the one volume that is needed as a file of its own" if len(shape) > 3 else ""
    return f"the volume is {size_text(shape)}, not three-dimensional{several}"


def spacing_text(spacing: Sequence[float]) -> Message:
    """Voxel edges in millimetres as people write them: 1 x 1 x 5 mm, or 2.5 mm where all are equal."""
    edges = [f"{edge:.4g}" for edge in spacing]
    return f"{edges[0] if len(set(edges)) == 1 else ' x '.join(edges)} mm"


def same_affine(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two affines place a voxel at the same point, within the tolerance."""
    return bool(np.abs(one - other).max() <= AFFINE_TOLERANCE)


def same_grid(one: Grid, other: Grid) -> bool:
    """Whether two volumes have one shape and, within the tolerance, one affine."""
    return one.shape == other.shape and same_affine(one.affine, other.affine)


def volumes_problem(shape: tuple[int, ...], file: str, channels: int) -> Finding | None:
    """`wrong_shape` where a file that should hold so many channels, one volume each, does not."""
    if len(shape) == 4 and shape[3] == channels:
        return None
    message = (
        f"the file is {size_text(shape)}, while the task takes its {channels} channels from a file of four dimensions "
        "with one volume each; replace it, or set another cohort.task"
    )
    return Finding("wrong_shape", file, message)


def shape_problem(shape: tuple[int, ...], file: str, expected: Sequence[int] | None) -> Finding | None:
    """`wrong_shape` where a volume has not three dimensions, or not the shape that `cohort.shape` expects."""
    if len(shape) != 3:
        message = not_3d(shape)
    elif expected is not None and shape != tuple(expected):
        message = f"the grid is {size_text(shape)}; cohort.shape expects {size_text(expected)}; resample or change it"
    else:
        return None
    return Finding("wrong_shape", file, message)


def reference(images: Mapping[str, Grid]) -> str:
    """The modality whose grid (shape and affine) most others share, the first of them where there is a tie."""
    return max(images, key=lambda role: sum(same_grid(images[role], other) for other in images.values()))


def grid_problems(
    images: Mapping[str, Grid], files: Mapping[str, str], titles: Mapping[str, str], grid: Grid
) -> Iterator[Finding]:
    """`shape_mismatch` and `affine_mismatch` of every channel whose grid is not that of the reference."""
    for role, image in images.items():
        name = titles[role]
        if image.shape != grid.shape:
            message = f"{name} is {size_text(image.shape)}, the others are {size_text(grid.shape)}; register them anew"
            yield Finding("shape_mismatch", files[role], message)
        if not same_affine(image.affine, grid.affine):
            far = float(np.abs(image.affine - grid.affine).max())
            message = f"the affine of {name} differs from the others' by up to {far:.3g}; register them anew"
            yield Finding("affine_mismatch", files[role], message)


def value_problem(volume: NDArray[Any], low: Any, high: Any, name: str, file: str) -> Finding | None:
    """`not_finite` or `constant_image`: a modality of such values cannot be used.

    low, high: the extremes of the volume (X, Y, Z), less voxels of the background that are not a number. name: the
    title of the channel.
    """
    if not (np.isfinite(low) and np.isfinite(high)):
        stray = stray_voxels(volume)
        if stray.size == 0:
            return Finding("not_finite", file, f"no voxel of {name} is a number; replace it by the real image")
        first = ", ".join(str(index) for index in np.unravel_index(int(stray[0]), volume.shape, order="F"))
        message = (
            f"{stray.size} voxels of {name} are infinite, or not a number within the brain, the first at voxel "
            f"({first}); write the image anew from the original"
        )
        return Finding("not_finite", file, message)
    with np.errstate(over="ignore", invalid="ignore"):
        least, most = np.float32(low), np.float32(high)
        spread = most - least
    if not np.isfinite(spread):
        message = f"{name} has values from {low:g} to {high:g}, beyond float32; divide it by a constant, write it anew"
        return Finding("not_finite", file, message)
    if spread == 0:
        value = f"{low:g}" if low == high else f"{low:g}, or closer to it than float32 can tell"
        return Finding("constant_image", file, f"every voxel of {name} is {value}; replace it by the real image")
    return None


def value_warnings(
    array: NDArray[Any], extremes: tuple[Any, Any], background: Background, name: str, file: str
) -> Iterator[Finding]:
    """`saturated_intensities` and `negative_intensities` of a modality that has no problem.

    extremes: the lowest and the highest value of what is not background. name: the title of the channel. What is
    negative only because the background is, as after a z-score over the whole volume, needs no warning: intensities are
    normalised anew.
    """
    low, high = extremes
    limit = _LIMITS.get(float(high)) if array.dtype.kind == "f" else array.dtype.name
    if limit and high == np.iinfo(limit).max:
        count = int(np.count_nonzero(array == high))
        message = f"{count} voxels of {name} have the largest value that {limit} can hold; it may be clipped"
        yield Finding("saturated_intensities", file, message)
    least = min([0.0, *(lowest for lowest, _ in background.bands)])
    if low < least:
        count = int(np.count_nonzero(array < least))
        below = "negative" if least == 0 else f"below the background ({least:.5g})"
        message = f"{count} voxels of {name} are {below}, down to {low:g}; is this a raw intensity image?"
        yield Finding("negative_intensities", file, message)


def sampled_positions(shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Flat positions (Fortran order) of about `SAMPLED_VOXELS` voxels, or of all of a smaller grid, evenly spread.

    The step shares no divisor with any side, or the sample would show a few planes only.
    """
    size = math.prod(shape)
    step = max(1, size // SAMPLED_VOXELS)
    while any(math.gcd(step, side) > 1 for side in shape):
        step += 1
    return np.arange(0, size, step)


def sample_digest(sample: NDArray[Any]) -> str:
    """XXH3-128 of sampled values: equal where the values are, whatever type they were stored in."""
    return xxh3_128_hexdigest((sample.astype("<f8") + 0.0).data)  # -0.0 becomes 0.0


def intensity_facts(sample: NDArray[Any], highest: float, background: Background) -> dict[str, float]:
    """`min`, `p01`, `median` and `p99` of those sampled voxels of a modality that are not background, and `max`.

    A single bright voxel tells something, so that `max` is not left to the sample. Nothing where the sample shows
    background only.
    """
    shown = sample[~background.mask(sample)]
    if shown.size == 0:
        return {}
    low, middle, high = (float(value) for value in np.percentile(shown, (1, 50, 99)))
    return {"min": float(shown.min()), "p01": low, "median": middle, "p99": high, "max": highest}


def spacing_warning(spacing: tuple[float, ...], file: str) -> Finding | None:
    """`non_unit_spacing` where voxels are not cubes of 1 mm, as those of most challenges are."""
    if np.allclose(spacing, 1, rtol=0, atol=AFFINE_TOLERANCE):
        return None
    return Finding("non_unit_spacing", file, f"voxels are {spacing_text(spacing)}, not cubes of 1 mm")


def likeness_warnings(
    samples: Mapping[str, NDArray[Any]],
    shown: NDArray[np.bool_],
    files: Mapping[str, str],
    titles: Mapping[str, str],
) -> Iterator[Finding]:
    """`nearly_equal_modalities` of every two modalities of one shape that show the same values.

    samples: the same sample of each. shown: where any of them is not background. files, titles: the path and the title
    of each.
    """
    if not shown.any():
        return
    values = {role: np.nan_to_num(sample[shown].astype(np.float64)) for role, sample in samples.items()}
    for one, other in combinations(values, 2):
        with np.errstate(all="ignore"):  # of absurdly large values
            spread = max(values[one].std(), values[other].std())
            difference = np.sqrt(np.mean((values[one] - values[other]) ** 2))
        if np.isfinite(spread) and difference <= NEARLY_EQUAL * spread:
            pair = f"{titles[one]} and {titles[other]}"
            message = f"{pair} are nearly equal; was one copied in place of the other?"
            yield Finding("nearly_equal_modalities", files[other], message)
