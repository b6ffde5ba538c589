"""The background of an image: the values that its border shows, where BraTS has exactly 0."""

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
"""Voxels of each face that are looked at, about."""
_MAX_NARROW_WIDTH: Final = 0.02
"""Width of half of the border's values, in units of the brain's brightness, up to which the border is near-constant."""
_BAND_WIDTHS: Final = 7
"""A near-constant background reaches so many of these widths to both sides, which is 9 standard deviations of Gaussian
noise and leaves no voxel of Rayleigh noise outside, even of a large volume."""
_RINGING_DISTANCE: Final = 0.002
"""Values closer than this to the background, in units of the brain's brightness, are ringing where there are many."""
_MIN_RINGING_RATIO: Final = 0.05
"""So many, for each voxel of the brain; in BraTS 2021 there were at most 0.003."""
_MIN_SPIKE_FRACTION: Final = 0.1
"""Part of the border that shows one value, and 5 times as much as any other, from which that value is background."""
_MIN_FILL_FRACTION: Final = 0.01
"""Part of the border that 0 or a filling value takes at least."""
_MIN_TISSUE_BRIGHTNESS: Final = 0.25
"""Brightness of the rest of such a border, in units of the brain's, from which it is brain and not air."""
_MIN_ZERO_FRACTION: Final = 0.05
"""Part of the image that is 0 from which 0 is background, too, beside another value at the border."""

_MIN_PADDED_FRACTION: Final = 0.2
"""Part of what is not padding that one value takes at least, where it is background."""


@dataclass(frozen=True)
class Background:
    """Which values are background.

    bands: the lowest and the highest value of each band, both included. nan: whether what is not a number is, too.
    """

    bands: tuple[tuple[float, float], ...] = ()
    nan: bool = False

    def mask(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether each value is background."""
        masks = [_in_band(values, *band) for band in self.bands]
        if self.nan:
            masks.append(np.isnan(values))
        for other in masks[1:]:
            np.logical_or(masks[0], other, out=masks[0])
        return masks[0]

    def facts(self) -> dict[str, Any]:
        """The background in a verdict, from which `of` makes it again."""
        return {"bands": [list(band) for band in self.bands], "nan": self.nan}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "Background":
        """The background that `facts` was made of."""
        return cls(tuple((float(low), float(high)) for low, high in facts["bands"]), bool(facts["nan"]))

    def __str__(self) -> Message:
        """The background in words: "2", "from -0.3 to 0.3", "-1000 and 0", "not a number"."""
        words: list[Message] = [
            f"{low:.5g}" if low == high else f"from {low:.3g} to {high:.3g}" for low, high in self.bands
        ]
        if self.nan:
            words.append("not a number")
        return " and ".join(words)


ZERO_BACKGROUND: Final = Background(((0.0, 0.0),))
"""The background of BraTS."""


def backgrounds_from_facts(facts: Mapping[str, Any]) -> dict[str, Background]:
    """The background of each modality, from the facts of a verdict."""
    return {modality: Background.of(found) for modality, found in facts["background"].items()}


def _in_band(values: NDArray[Any], low: float, high: float) -> NDArray[np.bool_]:
    if values.dtype.kind in "iu":  # compared as whole numbers, which takes a tenth of the time
        low, high = ceil(low), floor(high)
    if low == high:
        equal: NDArray[np.bool_] = values == low
        return equal
    inside: NDArray[np.bool_] = values >= low
    inside &= values <= high
    return inside


def border_voxels(volume: NDArray[Any]) -> NDArray[Any]:
    """Voxels of the six outer faces of a volume (X, Y, Z), evenly spread, flat."""
    faces = [volume[(*(slice(None),) * axis, end)] for axis in range(3) for end in (0, -1)]
    steps = [max(1, isqrt(face.size // _SAMPLED_FACE_VOXELS)) for face in faces]
    return np.concatenate([face[::step, ::step].ravel() for face, step in zip(faces, steps, strict=True)])


def find_background(border_values: NDArray[Any], sample: NDArray[Any], low: float, *, nan: bool) -> Background | None:
    """The background of an image, None where its border shows none.

    faces: see `border`. sample: voxels from all over the image. low: its lowest value. nan: whether voxels at its
    border are not a number, which are background then.
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
    """The background of an image that may have been padded: with the value that lies within the padding, if one does.

    An image with a background of -0.7, after a z-score over the whole volume, may have been padded with 0. What is not
    padding then fills a box, whose faces show that value; no brain does. Only the lowest and the highest value are
    tried, since a background is one of them.

    volume: (X, Y, Z). sample: voxels from all over it. padding: what its border shows.
    """
    rest = sample[~padding.mask(sample)]
    for value in (rest.min(), rest.max()) if rest.size else ():
        if _MIN_PADDED_FRACTION <= _fraction_with_value(rest, value) < 1:
            inner = volume[box_slices(bounding_box(~padding.mask(volume)))]
            if _fraction_with_value(border_voxels(inner), value) >= 0.5:
                return Background((*padding.bands, (float(value), float(value))), padding.nan)
    return padding


def non_finite_voxels(volume: NDArray[Any]) -> NDArray[np.intp]:
    """Flat positions (Fortran order) of voxels that are infinite, or not a number and not joined to the border.

    What is not a number from the border inwards is background, as statistics packages write it.
    """
    blank = np.isnan(volume)
    parts = np.empty_like(blank, np.int32)  # in the order of the volume, as the pieces below are
    count = ndimage.label(blank, np.ones((3, 3, 3)), parts)
    outside = np.zeros(count + 1, np.bool_)
    for axis in range(3):
        for end in (0, -1):
            outside[parts[(*(slice(None),) * axis, end)]] = True
    outside[0] = False
    blank, parts, voxels = (array.reshape(-1, order="F") for array in (blank, parts, volume))
    stray = [
        part.start + np.flatnonzero(np.isinf(voxels[part]) | (blank[part] & ~outside[parts[part]]))
        for part in chunks(voxels.size)
    ]
    return np.concatenate(stray)


def quantiles(values: NDArray[Any], *fractions: float) -> list[float]:
    """The values, of one or more, below which such parts of them lie; `numpy.percentile` takes four times as long."""
    ranks = [int(part * (values.size - 1)) for part in fractions]
    ordered = np.partition(values, ranks)
    return [float(ordered[rank]) for rank in ranks]


def _finite_values(voxels: NDArray[Any]) -> NDArray[Any]:
    return voxels[np.isfinite(voxels)] if voxels.dtype.kind == "f" else voxels


def _fraction_with_value(voxels: NDArray[Any], value: float) -> float:
    """The part of the voxels that has a value."""
    return np.count_nonzero(voxels == value) / max(voxels.size, 1)


def _main_band(edge: NDArray[Any], values: NDArray[Any]) -> list[tuple[float, float]]:
    """The band of the border's values, as a list of one; none where they are spread like those of tissue or noise."""
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
    """The middle and the width of the narrowest interval that holds half of the values, whatever the others are."""
    ordered = np.sort(edge.astype(np.float64))
    half = (ordered.size + 1) // 2
    widths = ordered[half - 1 :] - ordered[: ordered.size - half + 1]
    start = int(np.argmin(widths))
    return float(ordered[start + half // 2]), float(widths[start])


def _spike_band(edge: NDArray[Any], values: NDArray[Any]) -> list[tuple[float, float]]:
    """The one value that the border of a closely cropped image shows beside tissue; none where it does not."""
    found, counts = np.unique(edge, return_counts=True)
    order = np.argsort(counts)
    top = float(found[order[-1]])
    second = counts[order[-2]] if counts.size > 1 else 0
    stands_out = counts[order[-1]] >= max(_MIN_SPIKE_FRACTION * edge.size, 5 * second)
    candidates = ([top] if stands_out else []) + (
        [0.0] if _fraction_with_value(edge, 0.0) >= _MIN_FILL_FRACTION else []
    )
    for value in candidates:
        tissue, brain = (np.abs(some[some != value].astype(np.float64) - value) for some in (edge, values))
        if brain.size and np.median(tissue) >= _MIN_TISSUE_BRIGHTNESS * np.median(brain):
            return [(value, value)]
    return []
