"""Tumours that grow through a patient's anatomy: fast along white matter, slowly in grey, hardly through fluid.

A voxel is reached after the shortest travel time from where the tumour began, on a grid whose local speed depends on
tissue; that glioma cells spread several times faster in white matter: Swanson et al. 2000
(doi:10.1046/j.1365-2184.2000.00177.x).
"""

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from tumorseg.demo.anatomy import Anatomy
from tumorseg.demo.randomness import smooth_field

SPEEDS: Final = {"white": 1.0, "grey": 0.4, "csf": 0.08}
"""Relative speed of growth in each tissue."""

NECROSIS: Final = 1
OEDEMA: Final = 2
ENHANCING: Final = 4
"""The parts of a tumour, as `grown_tumour` marks them."""

_WHOLE_ML: Final = {1: (80.0, 130.0), 2: (45.0, 65.0)}
"""Volume of one focus, by the number of foci."""
_CORE_PART: Final = (0.45, 0.58)
_NECROTIC_PART: Final = (0.28, 0.4)
_GROWTH: Final = (1.0, 1.5)
"""Factor of the volume at each time point."""
_GAP_MM: Final = 8.0
_OFFSETS: Final = [offset for offset in product((-1, 0, 1), repeat=3) if offset > (0, 0, 0)]


def grown_tumour(
    anatomy: Anatomy, spacing: float, *, foci: int, enhancing: bool, time_point: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """The parts of a patient's tumour, uint8 (X, Y, Z).

    Nested in each focus: oedema around an enhancing rim around a necrotic core; without enhancement the whole core is
    necrotic. Foci stay apart. Equal generators at two time points give one tumour, grown.
    """
    mask = np.zeros(anatomy.brain.shape, np.uint8)
    for _ in range(foci):
        speed = _speed(anatomy, spacing, rng)
        if mask.any():
            apart = max(_GAP_MM, 2.5 * spacing)
            speed[ndimage.distance_transform_edt(mask == 0, sampling=spacing) < apart] = 0
        times = arrival_times(speed, spacing, _origin(anatomy, speed, spacing, rng))
        volume_ml = rng.uniform(*_WHOLE_ML[foci]) * _GROWTH[time_point]
        focus = nested(times, spacing, volume_ml=volume_ml, rng=rng)
        mask = np.maximum(mask, focus)
    if not enhancing:
        mask[mask == ENHANCING] = NECROSIS
    return mask


def arrival_times(speed: NDArray[np.float32], spacing: float, origin: tuple[int, int, int]) -> NDArray[np.float32]:
    """Shortest travel time from the voxel `origin` to each voxel, float32; infinite where `speed` is 0 or out of reach.

    `speed` in millimetres per unit of time. A step to one of 26 neighbours takes its length times the mean slowness.
    """
    inside = speed > 0
    number = np.full(speed.shape, -1, np.int32)
    number[inside] = np.arange(inside.sum(), dtype=np.int32)
    slowness = np.divide(1.0, speed, out=np.zeros_like(speed), where=inside)
    rows, columns, weights = [], [], []
    for offset in _OFFSETS:
        here = tuple(slice(max(-step, 0), size - max(step, 0)) for step, size in zip(offset, speed.shape, strict=True))
        there = tuple(slice(max(step, 0), size - max(-step, 0)) for step, size in zip(offset, speed.shape, strict=True))
        both = inside[here] & inside[there]
        rows.append(number[here][both])
        columns.append(number[there][both])
        weights.append(spacing * np.linalg.norm(offset) * 0.5 * (slowness[here][both] + slowness[there][both]))
    size = int(inside.sum())
    graph = csr_matrix((np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))), shape=(size, size))
    times = np.full(speed.shape, np.inf, np.float32)
    times[inside] = dijkstra(graph, directed=False, indices=int(number[origin]))
    return times


def nested(
    times: NDArray[np.float32], spacing: float, *, volume_ml: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """One focus of `volume_ml`, uint8: the voxels reached first, of them the core, and deep in the core the necrosis.

    Smooth random fields keep the inner outlines from repeating the outer one.
    """
    count = round(volume_ml * 1000 / spacing**3)
    core_count = round(count * rng.uniform(*_CORE_PART))
    necrotic_count = round(core_count * rng.uniform(*_NECROTIC_PART))
    whole = lowest(times, count)
    waves = [smooth_field(whole.shape, spacing, 16.0, rng) for _ in range(2)]
    core = lowest(np.where(whole, times * np.exp(0.2 * waves[0]), np.inf), core_count)
    depth = ndimage.distance_transform_edt(core, sampling=spacing) * np.exp(0.2 * waves[1])
    necrosis = lowest(np.where(core, -depth, np.inf), necrotic_count)
    mask = np.zeros(whole.shape, np.uint8)
    mask[whole], mask[core], mask[necrosis] = OEDEMA, ENHANCING, NECROSIS
    return mask


def lowest(score: NDArray[np.floating], count: int) -> NDArray[np.bool_]:
    """The `count` voxels of lowest score; equal scores in the order of the voxels."""
    chosen = np.zeros(score.size, np.bool_)
    chosen[np.argsort(score, axis=None, kind="stable")[:count]] = True
    return chosen.reshape(score.shape)


def _speed(anatomy: Anatomy, spacing: float, rng: np.random.Generator) -> NDArray[np.float32]:
    tissue = SPEEDS["white"] * anatomy.white + SPEEDS["grey"] * anatomy.grey + SPEEDS["csf"] * anatomy.csf
    speed: NDArray[np.float32] = tissue * np.exp(0.35 * smooth_field(tissue.shape, spacing, 18.0, rng))
    return speed * anatomy.brain


def _origin(
    anatomy: Anatomy, speed: NDArray[np.float32], spacing: float, rng: np.random.Generator
) -> tuple[int, int, int]:
    """A voxel of deep white matter in one hemisphere of the cerebrum, away from the surface and from other foci."""
    x, _, z = anatomy.position
    depth = ndimage.distance_transform_edt(speed > 0, sampling=spacing)
    weight = anatomy.white**2 * ((abs(x) > 18) & (z > 0) & (z < 50) & (depth > 18))
    chosen = rng.choice(weight.size, p=weight.ravel() / weight.sum())
    i, j, k = np.unravel_index(chosen, weight.shape)
    return int(i), int(j), int(k)
