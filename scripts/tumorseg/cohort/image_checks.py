"""Check the images of a case: same grid, plausible intensities, no image that is a copy of another."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128, xxh3_128_hexdigest

from tumorseg.cohort.background import Background, non_finite_voxels
from tumorseg.cohort.validation_result import Issue
from tumorseg.geometry import AFFINE_TOLERANCE_MM, Grid, format_shape, format_spacing, same_affine, same_grid
from tumorseg.io.nifti_header import not_3d_message
from tumorseg.io.volume import read_volume
from tumorseg.io.volume_errors import VolumeError
from tumorseg.io.volume_limits import chunks
from tumorseg.task import Task

SAMPLED_VOXELS: Final = 2**14
NEARLY_EQUAL_RMS: Final = 0.02
"""Root mean square difference, in standard deviations, below which two modalities are suspected to be one."""

_INTEGER_MAXIMA: Final = {float(np.iinfo(name).max): name for name in ("int16", "uint16")}
"""Largest values that images are stored with, which show in real numbers, too, after a conversion."""


def volume_count_problem(shape: tuple[int, ...], file: str, channels: int) -> Issue | None:
    """`wrong_shape` where a file that should hold so many channels, one volume each, does not."""
    if len(shape) == 4 and shape[3] == channels:
        return None
    message = (
        f"the file is {format_shape(shape)}, while the task takes its {channels} channels from a file of four dimensions "
        "with one volume each; replace it, or set another cohort.task"
    )
    return Issue("wrong_shape", file, message)


def shape_problem(shape: tuple[int, ...], file: str, expected: Sequence[int] | None) -> Issue | None:
    """`wrong_shape` where a volume has not three dimensions, or not the shape that `cohort.shape` expects."""
    if len(shape) != 3:
        message = not_3d_message(shape)
    elif expected is not None and shape != tuple(expected):
        message = (
            f"the grid is {format_shape(shape)}; cohort.shape expects {format_shape(expected)}; resample or change it"
        )
    else:
        return None
    return Issue("wrong_shape", file, message)


def reference_channel(images: Mapping[str, Grid]) -> str:
    """The modality whose grid (shape and affine) most others share, the first of them where there is a tie."""
    return max(images, key=lambda role: sum(same_grid(images[role], other) for other in images.values()))


def grid_problems(
    images: Mapping[str, Grid], files: Mapping[str, str], titles: Mapping[str, str], grid: Grid
) -> Iterator[Issue]:
    """`shape_mismatch` and `affine_mismatch` of every channel whose grid is not that of the reference."""
    for role, image in images.items():
        name = titles[role]
        if image.shape != grid.shape:
            message = (
                f"{name} is {format_shape(image.shape)}, the others are {format_shape(grid.shape)}; register them anew"
            )
            yield Issue("shape_mismatch", files[role], message)
        if not same_affine(image.affine, grid.affine):
            far = float(np.abs(image.affine - grid.affine).max())
            message = f"the affine of {name} differs from the others' by up to {far:.3g}; register them anew"
            yield Issue("affine_mismatch", files[role], message)


def value_problem(volume: NDArray[Any], low: Any, high: Any, title: str, file: str) -> Issue | None:
    """`not_finite` or `constant_image`: a modality of such values cannot be used.

    low, high: the extremes of the volume (X, Y, Z), less voxels of the background that are not a number. name: the
    title of the channel.
    """
    if not (np.isfinite(low) and np.isfinite(high)):
        stray = non_finite_voxels(volume)
        if stray.size == 0:
            return Issue("not_finite", file, f"no voxel of {title} is a number; replace it by the real image")
        first = ", ".join(str(index) for index in np.unravel_index(int(stray[0]), volume.shape, order="F"))
        message = (
            f"{stray.size} voxels of {title} are infinite, or not a number within the brain, the first at voxel "
            f"({first}); write the image anew from the original"
        )
        return Issue("not_finite", file, message)
    with np.errstate(over="ignore", invalid="ignore"):
        least, most = np.float32(low), np.float32(high)
        spread = most - least
    if not np.isfinite(spread):
        message = f"{title} has values from {low:g} to {high:g}, beyond float32; divide it by a constant, write it anew"
        return Issue("not_finite", file, message)
    if spread == 0:
        value = f"{low:g}" if low == high else f"{low:g}, or closer to it than float32 can tell"
        return Issue("constant_image", file, f"every voxel of {title} is {value}; replace it by the real image")
    return None


def value_warnings(
    volume: NDArray[Any], extremes: tuple[Any, Any], background: Background, title: str, file: str
) -> Iterator[Issue]:
    """`saturated_intensities` and `negative_intensities` of a modality that has no problem.

    extremes: the lowest and the highest value of what is not background. name: the title of the channel. What is
    negative only because the background is, as after a z-score over the whole volume, needs no warning: intensities are
    normalised anew.
    """
    low, high = extremes
    limit = _INTEGER_MAXIMA.get(float(high)) if volume.dtype.kind == "f" else volume.dtype.name
    if limit and high == np.iinfo(limit).max:
        count = int(np.count_nonzero(volume == high))
        message = f"{count} voxels of {title} have the largest value that {limit} can hold; it may be clipped"
        yield Issue("saturated_intensities", file, message)
    least = min([0.0, *(lowest for lowest, _ in background.bands)])
    if low < least:
        count = int(np.count_nonzero(volume < least))
        below = "negative" if least == 0 else f"below the background ({least:.5g})"
        message = f"{count} voxels of {title} are {below}, down to {low:g}; is this a raw intensity image?"
        yield Issue("negative_intensities", file, message)


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
    foreground = sample[~background.mask(sample)]
    if foreground.size == 0:
        return {}
    low, middle, high = (float(value) for value in np.percentile(foreground, (1, 50, 99)))
    return {"min": float(foreground.min()), "p01": low, "median": middle, "p99": high, "max": highest}


def spacing_warning(spacing_mm: tuple[float, ...], file: str) -> Issue | None:
    """`non_unit_spacing` where voxels are not cubes of 1 mm, as those of most challenges are."""
    if np.allclose(spacing_mm, 1, rtol=0, atol=AFFINE_TOLERANCE_MM):
        return None
    return Issue("non_unit_spacing", file, f"voxels are {format_spacing(spacing_mm)}, not cubes of 1 mm")


def similarity_warnings(
    samples: Mapping[str, NDArray[Any]],
    foreground: NDArray[np.bool_],
    files: Mapping[str, str],
    titles: Mapping[str, str],
) -> Iterator[Issue]:
    """`nearly_equal_modalities` of every two modalities of one shape that show the same values.

    samples: the same sample of each. shown: where any of them is not background. files, titles: the path and the title
    of each.
    """
    if not foreground.any():
        return
    values = {role: np.nan_to_num(sample[foreground].astype(np.float64)) for role, sample in samples.items()}
    for one, other in combinations(values, 2):
        with np.errstate(all="ignore"):  # of absurdly large values
            spread = max(values[one].std(), values[other].std())
            difference = np.sqrt(np.mean((values[one] - values[other]) ** 2))
        if np.isfinite(spread) and difference <= NEARLY_EQUAL_RMS * spread:
            pair = f"{titles[one]} and {titles[other]}"
            message = f"{pair} are nearly equal; was one copied in place of the other?"
            yield Issue("nearly_equal_modalities", files[other], message)


def duplicate_modality_problems(
    root: Path,
    files: Mapping[str, Mapping[str, Any]],
    samples: Mapping[str, NDArray[Any]],
    task: Task,
) -> dict[str, Issue]:
    """`duplicate_modality` for each modality whose voxels are those of an earlier one, by modality.

    Values that are equal as float32 are equal, whatever type and scaling they are stored with. Files are read again,
    one at a time, only where their samples are equal, which hardly ever happens by chance.

    files: the facts of each file, see `Verdict`, below `root`. samples: the same sample of each channel; all have one
    shape. task: which volume of its file each channel is, and how it is called.
    """
    titles, places = task.channel_titles, {channel.name: channel.volume for channel in task.channels}
    alike: dict[bytes, list[str]] = {}
    for role, sample in samples.items():
        alike.setdefault(_as_float32(sample).tobytes(), []).append(role)
    found = {}
    for roles in alike.values():
        first_with: dict[str, str] = {}
        for role in roles if len(roles) > 1 else []:
            first = first_with.setdefault(_voxel_digest(root, files[role], places[role]), role)
            if first != role:
                message = (
                    f"{titles[role]} has exactly the voxels of {titles[first]} in "
                    f"{files[first]['path']}; one of the two files is not what it says: replace it"
                )
                found[role] = Issue("duplicate_modality", files[role]["path"], message)
    return found


def _voxel_digest(root: Path, facts: Mapping[str, Any], volume_index: int | None) -> str:
    """XXH3-128 of the voxels of a file as float32, or that of its bytes where it is no longer the one that was read."""
    try:
        volume = read_volume(root / facts["path"], facts["voxels"])
    except VolumeError:
        return str(facts["digest"])
    if volume.digest != facts["digest"]:
        return str(facts["digest"])
    values, digest = volume.channel(volume_index).array.reshape(-1, order="F"), xxh3_128()
    for part in chunks(values.size):
        digest.update(_as_float32(values[part]).data)
    return digest.hexdigest()


def _as_float32(values: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return values.astype(np.float32) + np.float32(0)  # -0.0 becomes 0.0
