"""Grow oedema around tumour cores, mostly along white matter."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.demo.anatomy import Anatomy
from tumorseg.demo.random_fields import smooth_field
from tumorseg.demo.tumour import arrival_times, lowest_scores
from tumorseg.synthetic.draws import log_uniform

_IN_CORE: Final = 1e4
"""Speed within a core: it is reached at once, so that oedema starts at its border."""
_FALX_MM: Final = 3.0


def grow_oedema(
    anatomy: Anatomy,
    core: NDArray[np.bool_],
    spacing_mm: float,
    volume_ml: float,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Return the voxels of the oedema around a connected core.

    Args:
        anatomy: the patient's anatomy, displaced by the tumours.
        core: voxels of the core (X, Y, Z).
        spacing_mm: edge of a voxel.
        volume_ml: volume of the oedema.
        rng: generator of the speeds of growth.
    """
    count = round(volume_ml * 1000 / spacing_mm**3)
    if count == 0:
        return np.zeros(core.shape, np.bool_)
    where = np.argwhere(core)
    total_ml = volume_ml + len(where) * spacing_mm**3 / 1000
    margin = int(np.ceil((1.6 * (total_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3) + 6) / spacing_mm))
    box = tuple(
        slice(max(0, low - margin), min(size, high + margin + 1))
        for low, high, size in zip(where.min(axis=0), where.max(axis=0), core.shape, strict=True)
    )
    local: tuple[int, int, int] = tuple(side.stop - side.start for side in box)
    speed = anatomy.white[box] + log_uniform(rng, 0.12, 0.8) * anatomy.grey[box]
    speed += log_uniform(rng, 0.02, 0.08) * anatomy.csf[box]
    speed *= np.exp(rng.uniform(0.1, 0.55) * smooth_field(local, spacing_mm, rng.uniform(8, 25), rng))
    x = anatomy.position[0][box]
    crossing = (abs(x) < _FALX_MM) & (anatomy.white[box] < 0.6)
    speed[crossing] *= 0.1
    speed = np.maximum(speed, np.float32(1e-3)) * anatomy.brain[box]
    inside = core[box]
    speed[inside] = _IN_CORE
    origin = where[len(where) // 2] - [side.start for side in box]
    times = arrival_times(speed, spacing_mm, (int(origin[0]), int(origin[1]), int(origin[2])))
    times[inside] = np.inf
    oedema = np.zeros(core.shape, np.bool_)
    oedema[box] = lowest_scores(times, count) & np.isfinite(times)
    return oedema
