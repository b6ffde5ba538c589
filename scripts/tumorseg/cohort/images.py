"""Checks on the four images of a case: do they agree with each other, and do their values make sense?"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.verdict import Finding
from tumorseg.cohort.volume import Volume
from tumorseg.labels import MODALITY_NAMES

AFFINE_TOLERANCE: Final = 1e-3
"""Entries of two affines (millimetres) that differ by no more than this are the same."""
SAMPLED_VOXELS: Final = 2**14
NEARLY_EQUAL: Final = 0.02
"""Root mean square difference, in standard deviations, below which two modalities are suspected to be one."""

Images = Mapping[str, Volume]


def size_text(shape: Sequence[int]) -> str:
    """A shape as people write it: 240x240x155."""
    return "x".join(map(str, shape))


def same_affine(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two affines place a voxel at the same point, within the tolerance."""
    return bool(np.abs(one - other).max() <= AFFINE_TOLERANCE)


def same_grid(one: Volume, other: Volume) -> bool:
    """Whether two volumes have one shape and, within the tolerance, one affine."""
    return one.array.shape == other.array.shape and same_affine(one.affine, other.affine)


def shape_problem(volume: Volume, file: str, expected: Sequence[int] | None) -> Finding | None:
    """`wrong_shape` where a volume has not three dimensions, or not the shape that `cohort.shape` expects."""
    shape = volume.array.shape
    if len(shape) != 3:
        message = f"the volume is {size_text(shape)}, not three-dimensional; extract the one volume that is meant"
    elif expected is not None and shape != tuple(expected):
        message = f"the grid is {size_text(shape)}; cohort.shape expects {size_text(expected)}; resample or change it"
    else:
        return None
    return Finding("wrong_shape", file, message)


def reference(images: Images) -> str:
    """The modality whose grid (shape and affine) most others share, the first of them where there is a tie."""
    return max(images, key=lambda role: sum(same_grid(images[role], other) for other in images.values()))


def grid_problems(images: Images, files: Mapping[str, str], grid: Volume) -> Iterator[Finding]:
    """`shape_mismatch` and `affine_mismatch` of every modality whose grid is not that of the reference."""
    for role, volume in images.items():
        name, shape = MODALITY_NAMES[role], volume.array.shape
        if shape != grid.array.shape:
            message = f"{name} is {size_text(shape)}, the others are {size_text(grid.array.shape)}; register them anew"
            yield Finding("shape_mismatch", files[role], message)
        if not same_affine(volume.affine, grid.affine):
            far = float(np.abs(volume.affine - grid.affine).max())
            message = f"the affine of {name} differs from the others' by up to {far:.3g}; register them anew"
            yield Finding("affine_mismatch", files[role], message)


def value_findings(array: NDArray[Any], role: str, file: str) -> tuple[list[Finding], list[Finding]]:
    """Problems (`not_finite`, `constant_image`) and warnings (saturated, negative) of the values of one modality."""
    name, low, high = MODALITY_NAMES[role], array.min(), array.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        count = array.size - int(np.count_nonzero(np.isfinite(array)))
        message = f"{count} voxels of {name} are not a number or infinite; write the image anew from the original"
        return [Finding("not_finite", file, message)], []
    if low == high:
        message = f"every voxel of {name} is {low:g}; replace the file by the real image"
        return [Finding("constant_image", file, message)], []
    warnings = []
    if array.dtype.kind in "iu" and high == np.iinfo(array.dtype).max:
        count = int(np.count_nonzero(array == high))
        message = f"{count} voxels of {name} have the largest value that {array.dtype.name} can hold; it may be clipped"
        warnings.append(Finding("saturated_intensities", file, message))
    if low < 0:
        count = int(np.count_nonzero(array < 0))
        message = f"{count} voxels of {name} are negative, down to {low:g}; is this a raw intensity image?"
        warnings.append(Finding("negative_intensities", file, message))
    return [], warnings


def intensity_facts(array: NDArray[Any]) -> dict[str, float]:
    """`min`, `p01`, `median`, `p99` and `max` of the voxels of a modality that are not 0, by a sample of its voxels.

    Only `max` is that of all voxels, since a single bright voxel tells something. Nothing where the sample is all 0.
    """
    voxels = array.reshape(-1, order="F")
    sample = voxels[:: max(1, voxels.size // SAMPLED_VOXELS)]
    sample = sample[sample != 0]
    if sample.size == 0:
        return {}
    low, middle, high = (float(value) for value in np.percentile(sample, (1, 50, 99)))
    return {
        "min": float(sample.min()),
        "p01": low,
        "median": middle,
        "p99": high,
        "max": float(array.max()),
    }


def spacing_warning(volume: Volume, file: str) -> Finding | None:
    """`non_unit_spacing` where voxels are not cubes of 1 mm, as those of BraTS are."""
    if np.allclose(volume.spacing, 1, rtol=0, atol=AFFINE_TOLERANCE):
        return None
    edges = " x ".join(f"{edge:.4g}" for edge in volume.spacing)
    return Finding("non_unit_spacing", file, f"voxels are {edges} mm; BraTS has 1 mm, for which the settings are meant")


def brain_of(images: Images) -> NDArray[np.bool_]:
    """Voxels that are not zero in any modality, flat, in the order of memory (Fortran). All shapes must be equal."""
    volumes = [volume.array.reshape(-1, order="F") for volume in images.values()]
    brain: NDArray[np.bool_] = volumes[0] != 0
    present = np.empty_like(brain)
    for voxels in volumes[1:]:
        np.not_equal(voxels, 0, out=present)
        np.logical_or(brain, present, out=brain)
    return brain


def likeness_warnings(images: Images, brain: NDArray[np.bool_], files: Mapping[str, str]) -> Iterator[Finding]:
    """`nearly_equal_modalities` of every two modalities of one shape that show the same values, by a sample of them."""
    step = max(1, brain.size // SAMPLED_VOXELS)
    chosen = brain[::step]
    if not chosen.any():
        return
    samples = {
        role: volume.array.reshape(-1, order="F")[::step][chosen].astype(np.float64) for role, volume in images.items()
    }
    for one, other in combinations(samples, 2):
        with np.errstate(all="ignore"):  # of absurdly large values
            spread = max(samples[one].std(), samples[other].std())
            difference = np.sqrt(np.mean((samples[one] - samples[other]) ** 2))
        if np.isfinite(spread) and difference <= NEARLY_EQUAL * spread:
            pair = f"{MODALITY_NAMES[one]} and {MODALITY_NAMES[other]}"
            degree = "equal" if images[one].crc32 == images[other].crc32 else "nearly equal"
            message = f"{pair} are {degree}; was one copied in place of the other?"
            yield Finding("nearly_equal_modalities", files[other], message)
