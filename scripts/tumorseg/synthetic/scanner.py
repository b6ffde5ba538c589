"""Simulate the scan of one channel: bias field, misregistration, resolution, noise, and the range of its file.

References:
    Gudbjartsson & Patz 1995, doi:10.1002/mrm.1910340618 (Rician noise)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.demo.random_fields import smooth_field
from tumorseg.synthetic.draws import log_uniform

Field = NDArray[np.float32]

_BIAS: Final = (0.01, 0.22)
_THICK_PROTOCOL: Final = 0.65
"""Probability of an examination with mostly thick slices, as in clinical routine."""
_THICK_SLICES: Final = {True: 0.8, False: 0.15}
"""Probability of thick slices in a channel, by whether the examination has mostly thick slices."""
_THICKNESS_MM: Final = (3.0, 7.0)
_SLICE_AXES: Final = (0.12, 0.13, 0.75)
_NOISE: Final = (0.004, 0.07)
"""Range of the noise, relative to white matter; its logarithm is uniform."""
_MISREGISTERED: Final = 0.25
_SHIFT_MM: Final = 1.2
_GRAIN: Final = 0.05
_MISSING_SLAB: Final = 0.03
"""Probability that a channel lacks a part of the brain."""
_SATURATED: Final = 0.1
_GAMMA: Final = (0.75, 1.35)
_SCALE: Final = (150.0, 2500.0)
"""Value of white matter in the file."""


@dataclass(frozen=True)
class Scan:
    """How one channel is scanned.

    Attributes:
        bias: standard deviation of the logarithm of the bias field.
        bias_mm: distance between the nodes of the bias field.
        grain: standard deviation of the logarithm of a fine multiplicative texture.
        shift_mm: misregistration along each axis.
        blur_mm: standard deviation of the blur in all directions.
        slice_axis: axis of thick slices; None without.
        thickness_mm: thickness of the slices.
        noise: standard deviation of the noise, relative to white matter.
        noise_blur: standard deviation of the noise's own blur, in voxels.
        gamma: exponent of the intensities.
        saturation: percentile above which intensities are clipped; 100 for none.
        scale: value of white matter in the file.
        missing: fraction of the brain's extent that was not scanned, by axis and end; None for none.
    """

    bias: float
    bias_mm: float
    grain: float
    shift_mm: tuple[float, float, float]
    blur_mm: float
    slice_axis: int | None
    thickness_mm: float
    noise: float
    noise_blur: float
    gamma: float
    saturation: float
    scale: float
    missing: tuple[int, bool, float] | None


def draw_scans(channels: Sequence[str], rng: np.random.Generator) -> dict[str, Scan]:
    """Return a random scan for each channel of an examination."""
    thick = _THICK_SLICES[bool(rng.random() < _THICK_PROTOCOL)]
    return {channel: _draw_scan(thick, rng) for channel in channels}


def _draw_scan(thick_probability: float, rng: np.random.Generator) -> Scan:
    shift = rng.standard_normal(3) * _SHIFT_MM if rng.random() < _MISREGISTERED else np.zeros(3)
    thick = rng.random() < thick_probability
    missing = (int(rng.integers(3)), bool(rng.random() < 0.5), rng.uniform(0.05, 0.4))
    return Scan(
        bias=log_uniform(rng, *_BIAS),
        bias_mm=rng.uniform(50, 140),
        grain=rng.uniform(0, _GRAIN),
        shift_mm=(float(shift[0]), float(shift[1]), float(shift[2])),
        blur_mm=rng.uniform(0, 1.0) if rng.random() < 0.75 else rng.uniform(1.0, 2.0),
        slice_axis=int(np.searchsorted(np.cumsum(_SLICE_AXES), rng.random())) if thick else None,
        thickness_mm=rng.uniform(*_THICKNESS_MM),
        noise=log_uniform(rng, *_NOISE),
        noise_blur=rng.uniform(0, 0.8),
        gamma=log_uniform(rng, *_GAMMA) if rng.random() < 0.5 else 1.0,
        saturation=rng.uniform(96, 99.5) if rng.random() < _SATURATED else 100.0,
        scale=log_uniform(rng, *_SCALE),
        missing=missing if rng.random() < _MISSING_SLAB else None,
    )


def scan_channel(
    signal: Field, brain: NDArray[np.bool_], spacing_mm: float, scan: Scan, rng: np.random.Generator
) -> NDArray[np.int16]:
    """Return the image of a channel.

    Args:
        signal: noise-free intensities, white matter about 1, 0 outside the brain (X, Y, Z).
        brain: whether each voxel is in the brain (X, Y, Z).
        spacing_mm: edge of a voxel.
        scan: how the channel is scanned.
        rng: generator of bias field, grain and noise.

    Returns:
        The image, at least 1 in the brain, and 0 outside and where the channel was not scanned (X, Y, Z).
    """
    shape: tuple[int, int, int] = brain.shape
    image = signal * np.exp(np.float32(scan.bias) * smooth_field(shape, spacing_mm, scan.bias_mm, rng))
    if scan.grain > 0:
        image *= np.exp(np.float32(scan.grain) * smooth_field(shape, spacing_mm, rng.uniform(5, 25), rng))
    if any(scan.shift_mm):
        image = ndimage.shift(image, np.array(scan.shift_mm) / spacing_mm, order=1, mode="nearest")
    if scan.blur_mm > 0.2 * spacing_mm:
        image = _blur_inside(image, brain, scan.blur_mm / spacing_mm)
    real, imaginary = scan.noise * rng.standard_normal((2, *shape), dtype=np.float32)
    if scan.noise_blur > 0.25:
        real, imaginary = (_blurred_noise(part, scan.noise_blur) for part in (real, imaginary))
    image = np.hypot(image + real, imaginary)
    if scan.slice_axis is not None and scan.thickness_mm > 1.2 * spacing_mm:
        image = _thick_slices(image, brain, scan.slice_axis, scan.thickness_mm / spacing_mm)
    if scan.gamma != 1:
        image = np.maximum(image, 0) ** np.float32(scan.gamma)
    if scan.saturation < 100:
        image = np.minimum(image, np.float32(np.percentile(image[brain], scan.saturation)))
    stored = np.clip(np.rint(np.float32(scan.scale) * image), 1, np.iinfo(np.int16).max)
    return np.where(_scanned(brain, scan), stored, 0).astype(np.int16)


def _blur_inside(image: Field, brain: NDArray[np.bool_], sigma: float) -> Field:
    """Blur without mixing in the background: blurred image divided by blurred brain."""
    weight = ndimage.gaussian_filter(brain.astype(np.float32), sigma, truncate=3)
    blurred = ndimage.gaussian_filter(image * brain, sigma, truncate=3)
    inside: Field = np.divide(blurred, weight, out=np.zeros_like(blurred), where=weight > 1e-3)
    return inside


def _blurred_noise(noise: Field, sigma: float) -> Field:
    """Return noise after a blur, with its standard deviation restored."""
    blurred: Field = ndimage.gaussian_filter(noise, sigma, truncate=3)
    return blurred * np.float32(float(noise.std()) / max(float(blurred.std()), 1e-9))


def _thick_slices(image: Field, brain: NDArray[np.bool_], axis: int, thickness: float) -> Field:
    """Average along an axis to slices of a thickness in voxels, and interpolate back to the grid."""
    size = image.shape[axis]
    count = max(2, round(size / thickness))
    centres = (np.arange(count) + 0.5) * size / count - 0.5
    profile = np.exp(-0.5 * ((np.arange(size) - centres[:, None]) / (0.42 * thickness)) ** 2)
    place = np.interp(np.arange(size), centres, np.arange(count))
    below = np.minimum(place.astype(int), count - 2)
    back = np.zeros((size, count))
    back[np.arange(size), below] = 1 - (place - below)
    back[np.arange(size), below + 1] = place - below
    matrix = (back @ profile).astype(np.float32)
    weight = np.moveaxis(brain.astype(np.float32), axis, 0)
    # einsum does not use BLAS, whose sums depend on the processor and the number of threads.
    mixed = np.einsum("ij,jab->iab", matrix, np.moveaxis(image, axis, 0) * weight)
    norm = np.einsum("ij,jab->iab", matrix, weight)
    averaged = np.divide(mixed, norm, out=np.zeros_like(mixed), where=norm > 1e-3)
    return np.moveaxis(averaged, 0, axis)


def _scanned(brain: NDArray[np.bool_], scan: Scan) -> NDArray[np.bool_]:
    """Return the voxels of the brain that were scanned."""
    if scan.missing is None:
        return brain
    axis, at_end, fraction = scan.missing
    extent = np.flatnonzero(brain.any(axis=tuple(other for other in range(3) if other != axis)))
    count = round(fraction * (extent[-1] - extent[0] + 1))
    scanned = np.moveaxis(brain.copy(), axis, 0)
    if at_end:
        scanned[extent[-1] + 1 - count :] = False
    else:
        scanned[: extent[0] + count] = False
    return np.moveaxis(scanned, 0, axis)
