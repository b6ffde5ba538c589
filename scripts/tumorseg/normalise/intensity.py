"""Intensities of one modality, made comparable between cases."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.background import ZERO, Background

_LEVELS: Final = 2**16
"""Whole numbers that span fewer are counted: each level is normalised once, not each voxel."""
_SLAB: Final = 16


def normalise_intensities(
    voxels: NDArray[Any],
    clip_percentiles: Sequence[float],
    background: Background = ZERO,
    out: NDArray[np.float16] | None = None,
) -> tuple[NDArray[np.float16], dict[str, float]]:
    """Clip to percentiles, then subtract the mean and divide by the standard deviation (z-score).

    All of them are those of the voxels that are not background, which are the brain as this modality shows it; where it
    shows nothing, be it background or a slab that was not acquired, the result is exactly 0, the mean of the brain. A
    brain of one value gives 0 everywhere.

    voxels: (x, y, z), any real type, finite as float32 but for the background. out: where the result is put, new if
    None. Returns float16 (x, y, z), and what was applied: `low`, `high` (the bounds), `mean` and `std` after clipping.
    """
    result = np.empty(voxels.shape, np.float16) if out is None else out
    if voxels.dtype.kind in "iu" and voxels.dtype.itemsize <= 4:
        lowest, highest = int(voxels.min()), int(voxels.max())
        if highest - lowest < _LEVELS:
            return result, _normalise_levels(voxels, (lowest, highest), background, clip_percentiles, result)
    shown = ~background.mask(voxels)
    result[...] = 0
    result[shown], applied = _z_scores(voxels[shown], None, clip_percentiles)
    return result, applied


def _normalise_levels(
    voxels: NDArray[Any],
    ends: tuple[int, int],
    background: Background,
    clip_percentiles: Sequence[float],
    out: NDArray[np.float16],
) -> dict[str, float]:
    """Normalise whole numbers into `out`; slab by slab, since a slab fits into the processor's cache.

    ends: the lowest and the highest of them.
    """
    lowest, highest = ends
    values = np.arange(lowest, highest + 1, dtype=np.float64)
    counts = np.zeros(values.size, np.intp)
    for start in range(0, voxels.shape[2], _SLAB):
        level = voxels[:, :, start : start + _SLAB].astype(np.intp) - lowest
        counts += np.bincount(level.ravel(order="K"), minlength=values.size)
    outside = background.mask(values)
    counts[outside] = 0
    scores, applied = _z_scores(values, counts, clip_percentiles)
    scores[outside] = 0
    for y in range(voxels.shape[1]):
        out[:, y] = scores.take(voxels[:, y].astype(np.intp) - lowest)
    return applied


def _z_scores(
    values: NDArray[Any], counts: NDArray[np.intp] | None, clip_percentiles: Sequence[float]
) -> tuple[NDArray[np.float16], dict[str, float]]:
    """The clipped z-score of each value, and what was applied. counts: how often each occurs, None for once."""
    if values.size == 0 or (counts is not None and not counts.any()):
        return np.zeros(values.shape, np.float16), {"low": 0.0, "high": 0.0, "mean": 0.0, "std": 0.0}
    low, high = _percentiles(values, counts, clip_percentiles)
    scores = values.astype(np.float32)
    np.clip(scores, low, high, out=scores)
    mean = float(np.average(scores.astype(np.float64), weights=counts))
    scores -= np.float32(mean)
    # In float64, since squares of 2e19 and more overflow float32.
    std = float(np.sqrt(np.average(np.square(scores, dtype=np.float64), weights=counts)))
    if std > 1e-6 * max(abs(low), abs(high)):  # below that it is rounding
        scores /= np.float32(std)
    else:
        scores[:] = 0
    return scores.astype(np.float16), {"low": low, "high": high, "mean": mean, "std": std}


def _percentiles(values: NDArray[Any], counts: NDArray[np.intp] | None, percents: Sequence[float]) -> list[float]:
    """Percentiles, interpolated linearly as `numpy.percentile` does; values with counts come sorted."""
    if counts is None:
        return [float(bound) for bound in np.percentile(values, percents)]
    rank = np.cumsum(counts)  # of the last of each value, from 1
    position = np.asarray(percents) / 100 * (rank[-1] - 1)
    below, above = (values[np.searchsorted(rank, end(position), side="right")] for end in (np.floor, np.ceil))
    bounds: list[float] = (below + (above - below) * (position % 1)).tolist()
    return bounds
