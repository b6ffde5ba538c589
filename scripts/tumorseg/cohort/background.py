"""Find the background of an image from the voxels at its border. In BraTS images it is exactly 0."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor, isqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.errors import Message
from tumorseg.geometry import bounding_box, box_slices
from tumorseg.io.volume_limits import chunks

_SAMPLED_FACE_VOXELS: Final = 2**11
"""Approximate number of voxels sampled from each face."""
_MAX_NARROW_WIDTH: Final = 0.02
"""The border is near-constant if half of its values lie in an interval of at most this width.

In units of the brain's brightness.
"""
_BAND_WIDTHS: Final = 7
"""A near-constant background extends this many widths to both sides.

That is 9 standard deviations of Gaussian noise, and includes every voxel of Rayleigh noise even in a large volume.
"""
_RINGING_DISTANCE: Final = 0.002
"""Many values closer to the background than this, in units of the brain's brightness, are ringing."""
_MIN_RINGING_RATIO: Final = 0.05
"""Minimum number of these values per brain voxel; BraTS 2021 images have at most 0.003."""
_MIN_SPIKE_FRACTION: Final = 0.1
"""Minimum fraction of the border with one value, 5 times as frequent as any other, for it to be background."""
_MIN_FILL_FRACTION: Final = 0.01
"""Minimum fraction of the border that 0 or a fill value covers."""
_MIN_TISSUE_BRIGHTNESS: Final = 0.25
"""Minimum brightness of the rest of the border, in units of the brain's brightness, for it to be tissue and not air."""
_MIN_ZERO_FRACTION: Final = 0.05
"""Minimum fraction of zeros in the image for 0 to be background in addition to another value at the border."""
_MIN_PADDED_FRACTION: Final = 0.2
"""Minimum fraction of the voxels inside the padding that have one value, for it to be background."""


@dataclass(frozen=True)
class Background:
    """The values of an image that are background.

    Attributes:
        bands: lowest and highest value of each band, both included.
        nan: whether NaN is background.
    """

    bands: tuple[tuple[float, float], ...] = ()
    nan: bool = False

    def mask(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which values are background.

        Args:
            values: intensities, any shape and any real dtype.

        Returns:
            True where a value is background, bool, with the shape of `values`.
        """
        masks = [_in_band(values, *band) for band in self.bands]
        if self.nan:
            masks.append(np.isnan(values))
        for other in masks[1:]:
            np.logical_or(masks[0], other, out=masks[0])
        return masks[0]

    def facts(self) -> dict[str, Any]:
        """Return the background as JSON types for a validation result; `from_facts` reads them."""
        return {"bands": [list(band) for band in self.bands], "nan": self.nan}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Background":
        """Return the background that `facts` describes."""
        return cls(tuple((float(low), float(high)) for low, high in facts["bands"]), bool(facts["nan"]))

    def __str__(self) -> Message:
        """Return the background as text: "2", "from -0.3 to 0.3", "-1000 and 0", "not a number"."""
        words: list[Message] = [
            f"{low:.5g}" if low == high else f"from {low:.3g} to {high:.3g}" for low, high in self.bands
        ]
        if self.nan:
            words.append("not a number")
        return " and ".join(words)


ZERO_BACKGROUND: Final = Background(((0.0, 0.0),))
"""The background of BraTS images."""


def backgrounds_from_facts(facts: Mapping[str, Any]) -> dict[str, Background]:
    """Return the background of each modality from the facts of a validation result."""
    return {modality: Background.from_facts(found) for modality, found in facts["background"].items()}


def _in_band(values: NDArray[Any], low: float, high: float) -> NDArray[np.bool_]:
    if values.dtype.kind in "iu":  # comparing integers takes a tenth of the time
        low, high = ceil(low), floor(high)
    if low == high:
        equal: NDArray[np.bool_] = values == low
        return equal
    inside: NDArray[np.bool_] = values >= low
    inside &= values <= high
    return inside


def border_voxels(volume: NDArray[Any]) -> NDArray[Any]:
    """Return an evenly spaced sample of the voxels on the six faces of a volume.

    Args:
        volume: voxels (X, Y, Z), any dtype.

    Returns:
        The sampled voxels (N,), with the dtype of `volume`.
    """
    faces = [volume[(*(slice(None),) * axis, end)] for axis in range(3) for end in (0, -1)]
    steps = [max(1, isqrt(face.size // _SAMPLED_FACE_VOXELS)) for face in faces]
    return np.concatenate([face[::step, ::step].ravel() for face, step in zip(faces, steps, strict=True)])


def find_background(border_values: NDArray[Any], sample: NDArray[Any], low: float, *, nan: bool) -> Background | None:
    """Find the background of an image.

    Args:
        border_values: voxels of the border (N,), any real dtype, from `border_voxels`.
        sample: voxels from the whole image (M,), of the same dtype.
        low: lowest value of the image.
        nan: whether the border has NaN, which is then background.

    Returns:
        The background; None if the border shows only tissue or noise.
    """
    edge, values = _finite_values(border_values), _finite_values(sample)
    bands = [] if nan and 2 * edge.size < border_values.size else _main_band(edge, values)
    if not bands and not nan:
        return None
    for value, voxels, least in ((0.0, values, _MIN_ZERO_FRACTION), (min(low, 0.0), edge, _MIN_FILL_FRACTION)):
        if not any(first <= value <= last for first, last in bands) and _fraction_with_value(voxels, value) >= least:
            bands.append((value, value))
    return Background(tuple(bands), nan)


def add_background_in_padding(volume: NDArray[Any], sample: NDArray[Any], padding: Background) -> Background:
    """Find the background inside the padding of an image.

    For example, an image with a background of -0.7 after a z-score of the whole volume may have been padded with 0.
    The voxels inside the padding then fill a box, and its faces show the background; brain tissue never looks like
    this. The background is always the lowest or the highest value inside the padding, so only these two are tried.

    Args:
        volume: voxels (X, Y, Z), any real dtype.
        sample: voxels from the whole volume (N,).
        padding: background that the border shows.

    Returns:
        `padding` with the value found inside it; `padding` itself if there is none.
    """
    rest = sample[~padding.mask(sample)]
    for value in (rest.min(), rest.max()) if rest.size else ():
        if _MIN_PADDED_FRACTION <= _fraction_with_value(rest, value) < 1:
            inner = volume[box_slices(bounding_box(~padding.mask(volume)))]
            if _fraction_with_value(border_voxels(inner), value) >= 0.5:
                return Background((*padding.bands, (float(value), float(value))), padding.nan)
    return padding


def non_finite_voxels(volume: NDArray[Any]) -> NDArray[np.intp]:
    """Find the voxels that are infinite, or NaN and not connected to the border.

    NaN connected to the border is background: statistics packages write it that way.

    Args:
        volume: voxels (X, Y, Z), floating point.

    Returns:
        Flat indices of these voxels, in Fortran order.
    """
    is_nan = np.isnan(volume)
    components = np.empty_like(is_nan, np.int32)  # same memory order as the volume, so flattening below copies nothing
    count = ndimage.label(is_nan, np.ones((3, 3, 3)), components)
    at_border = np.zeros(count + 1, np.bool_)
    for axis in range(3):
        for end in (0, -1):
            at_border[components[(*(slice(None),) * axis, end)]] = True
    at_border[0] = False
    is_nan, components, voxels = (array.reshape(-1, order="F") for array in (is_nan, components, volume))
    positions = [
        part.start + np.flatnonzero(np.isinf(voxels[part]) | (is_nan[part] & ~at_border[components[part]]))
        for part in chunks(voxels.size)
    ]
    return np.concatenate(positions)


def quantiles(values: NDArray[Any], *fractions: float) -> list[float]:
    """Return quantiles without interpolation; `numpy.percentile` takes four times as long.

    Args:
        values: at least one value (N,), any real dtype.
        fractions: fraction of each quantile, in [0, 1].

    Returns:
        For each fraction, the largest value at or below the quantile.
    """
    ranks = [int(fraction * (values.size - 1)) for fraction in fractions]
    ordered = np.partition(values, ranks)
    return [float(ordered[rank]) for rank in ranks]


def _finite_values(voxels: NDArray[Any]) -> NDArray[Any]:
    return voxels[np.isfinite(voxels)] if voxels.dtype.kind == "f" else voxels


def _fraction_with_value(voxels: NDArray[Any], value: float) -> float:
    """Return the fraction of the voxels that have this value."""
    return np.count_nonzero(voxels == value) / max(voxels.size, 1)


def _main_band(edge: NDArray[Any], values: NDArray[Any]) -> list[tuple[float, float]]:
    """Return the band of the border's values in a list; an empty list if they spread like tissue or noise."""
    if edge.size == 0 or values.size == 0:
        return []
    centre, width = (0.0, 0.0) if _fraction_with_value(edge, 0.0) >= 0.5 else _narrowest_half(edge)
    distance = np.abs(values[values != centre].astype(np.float64) - centre)
    rest = distance[distance > _BAND_WIDTHS * width]
    if rest.size == 0:
        return [(centre, centre)] if width == 0 else []
    (brightness,) = quantiles(rest, 0.9)
    if width > _MAX_NARROW_WIDTH * brightness:
        return _spike_band(edge, values)
    reach = max(_RINGING_DISTANCE * brightness, _BAND_WIDTHS * width)
    near = np.count_nonzero(distance <= reach)
    if near < _MIN_RINGING_RATIO * (distance.size - near):
        return [(centre, centre)]
    return [(centre - reach, centre + reach)]


def _narrowest_half(edge: NDArray[Any]) -> tuple[float, float]:
    """Return the middle and the width of the narrowest interval that holds half of the values."""
    ordered = np.sort(edge.astype(np.float64))
    half = (ordered.size + 1) // 2
    widths = ordered[half - 1 :] - ordered[: ordered.size - half + 1]
    start = int(np.argmin(widths))
    return float(ordered[start + half // 2]), float(widths[start])


def _spike_band(edge: NDArray[Any], values: NDArray[Any]) -> list[tuple[float, float]]:
    """Return the one background value at the border of a tightly cropped image, in a list; an empty list if none."""
    found, counts = np.unique(edge, return_counts=True)
    order = np.argsort(counts)
    most_frequent = float(found[order[-1]])
    second = counts[order[-2]] if counts.size > 1 else 0
    is_spike = counts[order[-1]] >= max(_MIN_SPIKE_FRACTION * edge.size, 5 * second)
    candidates = ([most_frequent] if is_spike else []) + (
        [0.0] if _fraction_with_value(edge, 0.0) >= _MIN_FILL_FRACTION else []
    )
    for value in candidates:
        tissue, brain = (np.abs(some[some != value].astype(np.float64) - value) for some in (edge, values))
        if brain.size and np.median(tissue) >= _MIN_TISSUE_BRIGHTNESS * np.median(brain):
            return [(value, value)]
    return []
