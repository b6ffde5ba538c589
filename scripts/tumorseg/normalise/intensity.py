"""Intensities of one modality, made comparable between cases."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def normalise_intensities(
    voxels: NDArray[Any], clip_percentiles: tuple[float, float]
) -> tuple[NDArray[np.float16], dict[str, float]]:
    """Clip to percentiles, then subtract the mean and divide by the standard deviation (z-score).

    All of them are those of the voxels that are not 0, which are the brain as this modality shows it; where it shows
    nothing, be it background or a slab that was not acquired, the result is exactly 0, the mean of the brain. A brain
    of one value gives 0 everywhere.

    voxels: (x, y, z), any real type, finite. Returns float16 (x, y, z) in C order, and what was applied: `low`, `high`
    (the bounds), `mean` and `std` after clipping. Intensities that float32 cannot hold give a `std` that is not finite.
    """
    normalised = np.zeros(voxels.shape, np.float16)
    ordered = np.ascontiguousarray(voxels)
    shown = ordered != 0
    brain = ordered[shown]
    if brain.size == 0:
        return normalised, {"low": 0.0, "high": 0.0, "mean": 0.0, "std": 0.0}
    with np.errstate(over="ignore", invalid="ignore"):  # the caller is told by `std`
        low, high = (float(bound) for bound in np.percentile(brain, clip_percentiles))
        values = brain.astype(np.float32)
        np.clip(values, low, high, out=values)
        mean = float(values.mean(dtype=np.float64))
        values -= np.float32(mean)
        std = float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))  # squares of 2e19 and more overflow float32
        if std > 1e-6 * max(abs(low), abs(high)):  # below that it is rounding
            values /= np.float32(std)
            normalised[shown] = values
    return normalised, {"low": low, "high": high, "mean": mean, "std": std}
