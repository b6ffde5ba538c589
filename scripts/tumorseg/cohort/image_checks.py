"""Check the images of a case: one grid, plausible intensities, no image that is a copy of another."""

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
"""Approximate number of voxels in the sample of an image."""
NEARLY_EQUAL_RMS: Final = 0.02
"""Two modalities are nearly equal up to this root mean square difference, in standard deviations."""

_INTEGER_MAXIMA: Final = {float(np.iinfo(name).max): name for name in ("int16", "uint16")}
"""Largest values of integer images; clipped voxels keep them after a conversion to floating point."""


def volume_count_problem(shape: tuple[int, ...], file: str, channels: int) -> Issue | None:
    """Check that a file is 4D with one volume for each channel.

    Args:
        shape: shape of the file's array.
        file: path of the file, for the issue.
        channels: number of channels of the task that are in the file.

    Returns:
        `wrong_shape`; None if the shape is valid.
    """
    if len(shape) == 4 and shape[3] == channels:
        return None
    message = (
        f"the file is {format_shape(shape)}, but the task expects a 4D file with one volume for each of its {channels} "
        "channels; replace it, or set another cohort.task"
    )
    return Issue("wrong_shape", file, message)


def shape_problem(shape: tuple[int, ...], file: str, expected: Sequence[int] | None) -> Issue | None:
    """Check that a volume is 3D and has the expected shape.

    Args:
        shape: shape of the volume.
        file: path of the file, for the issue.
        expected: `cohort.shape` in voxels; None accepts every 3D shape.

    Returns:
        `wrong_shape`; None if the shape is valid.
    """
    if len(shape) != 3:
        message = not_3d_message(shape)
    elif expected is not None and shape != tuple(expected):
        message = (
            f"the grid is {format_shape(shape)}, but cohort.shape is {format_shape(expected)}; resample the volume, or "
            "change the setting"
        )
    else:
        return None
    return Issue("wrong_shape", file, message)


def reference_channel(images: Mapping[str, Grid]) -> str:
    """Return the channel whose grid (shape and affine) most channels share; the first one if there is a tie."""
    return max(images, key=lambda role: sum(same_grid(images[role], other) for other in images.values()))


def grid_problems(
    images: Mapping[str, Grid], files: Mapping[str, str], titles: Mapping[str, str], grid: Grid
) -> Iterator[Issue]:
    """Compare the grid of each channel with the reference grid.

    Args:
        images: grid of each channel.
        files: path of each channel, for the issues.
        titles: title of each channel.
        grid: the reference, see `reference_channel`.

    Yields:
        `shape_mismatch` and `affine_mismatch` of each channel that differs.
    """
    for role, image in images.items():
        name = titles[role]
        if image.shape != grid.shape:
            message = (
                f"{name} is {format_shape(image.shape)}, but the other modalities are {format_shape(grid.shape)}; "
                "register them again"
            )
            yield Issue("shape_mismatch", files[role], message)
        if not same_affine(image.affine, grid.affine):
            difference = float(np.abs(image.affine - grid.affine).max())
            message = (
                f"the affine of {name} differs from that of the other modalities by up to {difference:.3g}; register "
                "them again"
            )
            yield Issue("affine_mismatch", files[role], message)


def value_problem(volume: NDArray[Any], low: Any, high: Any, title: str, file: str) -> Issue | None:
    """Check that the values of an image are finite and not all equal.

    Args:
        volume: voxels (X, Y, Z), any real dtype.
        low: lowest value, ignoring NaN in the background.
        high: highest value, likewise.
        title: title of the channel.
        file: path of the image, for the issue.

    Returns:
        `not_finite` or `constant_image`; None if the values are valid.
    """
    if not (np.isfinite(low) and np.isfinite(high)):
        positions = non_finite_voxels(volume)
        if positions.size == 0:
            return Issue("not_finite", file, f"every voxel of {title} is NaN; replace the file with the real image")
        first = ", ".join(str(index) for index in np.unravel_index(int(positions[0]), volume.shape, order="F"))
        message = (
            f"{positions.size} voxels of {title} are infinite, or NaN within the brain, the first at voxel ({first}); "
            "export the image again from the original"
        )
        return Issue("not_finite", file, message)
    with np.errstate(over="ignore", invalid="ignore"):
        least, most = np.float32(low), np.float32(high)
        spread = most - least
    if not np.isfinite(spread):
        message = (
            f"{title} has values from {low:g} to {high:g}, beyond the range of float32; divide it by a constant and "
            "save it again"
        )
        return Issue("not_finite", file, message)
    if spread == 0:
        value = f"{low:g}" if low == high else f"{low:g}, to the precision of float32"
        return Issue("constant_image", file, f"every voxel of {title} is {value}; replace the file with the real image")
    return None


def value_warnings(
    volume: NDArray[Any], extremes: tuple[Any, Any], background: Background, title: str, file: str
) -> Iterator[Issue]:
    """Warn about clipped and negative values.

    Values that are negative only because the background is, as after a z-score of the whole volume, give no warning:
    normalisation removes the offset.

    Args:
        volume: voxels (X, Y, Z) of an image without problems.
        extremes: lowest and highest value outside the background.
        background: background of the image.
        title: title of the channel.
        file: path of the image, for the issues.

    Yields:
        `saturated_intensities` and `negative_intensities`.
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
    """Return flat indices (Fortran order) of about `SAMPLED_VOXELS` evenly spaced voxels, or of all in a small grid."""
    size = math.prod(shape)
    step = max(1, size // SAMPLED_VOXELS)
    # A step that shares a divisor with a side would sample only some planes.
    while any(math.gcd(step, side) > 1 for side in shape):
        step += 1
    return np.arange(0, size, step)


def sample_digest(sample: NDArray[Any]) -> str:
    """Return the XXH3-128 of sampled values; equal values give equal digests in every data type.

    Args:
        sample: sampled voxels (N,), any real dtype.
    """
    return xxh3_128_hexdigest((sample.astype("<f8") + 0.0).data)  # -0.0 becomes 0.0


def image_intensity_facts(sample: NDArray[Any], highest: float, background: Background) -> dict[str, float]:
    """Summarise the intensities outside the background.

    Args:
        sample: sampled voxels (N,), any real dtype.
        highest: highest value of the whole image; a sample may miss a single bright voxel.
        background: background of the image.

    Returns:
        `min`, `p01`, `median` and `p99` of the sample, and `max`; empty if the sample is all background.
    """
    foreground = sample[~background.mask(sample)]
    if foreground.size == 0:
        return {}
    low, middle, high = (float(value) for value in np.percentile(foreground, (1, 50, 99)))
    return {"min": float(foreground.min()), "p01": low, "median": middle, "p99": high, "max": highest}


def spacing_warning(spacing_mm: tuple[float, ...], file: str) -> Issue | None:
    """Return `non_unit_spacing` if voxels are not cubes of 1 mm, the grid of most challenges; else None."""
    if np.allclose(spacing_mm, 1, rtol=0, atol=AFFINE_TOLERANCE_MM):
        return None
    return Issue("non_unit_spacing", file, f"voxels are {format_spacing(spacing_mm)}, not cubes of 1 mm")


def similarity_warnings(
    samples: Mapping[str, NDArray[Any]],
    foreground: NDArray[np.bool_],
    files: Mapping[str, str],
    titles: Mapping[str, str],
) -> Iterator[Issue]:
    """Warn about pairs of channels with almost the same values.

    Args:
        samples: voxels of each channel at the same positions.
        foreground: which of these positions are foreground in at least one channel.
        files: path of each channel, for the issues.
        titles: title of each channel.

    Yields:
        `nearly_equal_modalities` for each pair.
    """
    if not foreground.any():
        return
    values = {role: np.nan_to_num(sample[foreground].astype(np.float64)) for role, sample in samples.items()}
    for one, other in combinations(values, 2):
        with np.errstate(all="ignore"):  # huge values overflow
            spread = max(values[one].std(), values[other].std())
            difference = np.sqrt(np.mean((values[one] - values[other]) ** 2))
        if np.isfinite(spread) and difference <= NEARLY_EQUAL_RMS * spread:
            pair = f"{titles[one]} and {titles[other]}"
            message = f"{pair} are nearly equal; check that neither is a copy of the other"
            yield Issue("nearly_equal_modalities", files[other], message)


def duplicate_modality_problems(
    root: Path,
    files: Mapping[str, Mapping[str, Any]],
    samples: Mapping[str, NDArray[Any]],
    task: Task,
) -> dict[str, Issue]:
    """Find channels with exactly the voxels of an earlier channel.

    Values are compared as float32, so the data type and the scaling of the files do not matter. Files are read again,
    one at a time, only if their samples are equal, which is rare by chance.

    Args:
        root: folder that the paths are relative to.
        files: facts of each channel's file, see `ValidationResult`.
        samples: voxels of each channel at the same positions; all channels have one shape.
        task: its channels define the volume of a 4D file and the titles.

    Returns:
        `duplicate_modality` by channel.
    """
    titles, volume_indices = task.channel_titles, {channel.name: channel.volume for channel in task.channels}
    roles_by_sample: dict[bytes, list[str]] = {}
    for role, sample in samples.items():
        roles_by_sample.setdefault(_as_float32(sample).tobytes(), []).append(role)
    problems = {}
    for roles in roles_by_sample.values():
        first_by_digest: dict[str, str] = {}
        for role in roles if len(roles) > 1 else []:
            first = first_by_digest.setdefault(_voxel_digest(root, files[role], volume_indices[role]), role)
            if first != role:
                message = (
                    f"{titles[role]} has exactly the same voxels as {titles[first]} in {files[first]['path']}; one of "
                    "the two files is wrong: replace it"
                )
                problems[role] = Issue("duplicate_modality", files[role]["path"], message)
    return problems


def _voxel_digest(root: Path, facts: Mapping[str, Any], volume_index: int | None) -> str:
    """Return the XXH3-128 of a file's voxels as float32, or the earlier digest of its bytes if it has changed."""
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
