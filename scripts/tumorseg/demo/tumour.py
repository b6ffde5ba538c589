"""Simulate the growth of tumours in a patient's anatomy, and label their parts for a task.

Tumours grow fast in white matter, slowly in grey matter, and very slowly in fluid. A tumour reaches a voxel after the
shortest travel time from its origin; the local speed depends on the tissue.

References:
    Swanson et al. 2000, doi:10.1046/j.1365-2184.2000.00177.x (glioma cells spread several times faster in white matter)
"""

from collections.abc import Sequence
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from tumorseg.demo.anatomy import Anatomy
from tumorseg.demo.random_fields import smooth_field
from tumorseg.task import Task

GROWTH_SPEEDS: Final = {"white": 1.0, "grey": 0.4, "csf": 0.08}
"""Relative speed of growth in each tissue."""

NECROSIS: Final = 1
OEDEMA: Final = 2
ENHANCING: Final = 4
"""The parts of a tumour in the result of `grow_tumour`."""

_FOCUS_ML: Final = {1: (80.0, 130.0), 2: (45.0, 65.0)}
"""Lowest and highest volume of one focus, by the number of foci."""
_CORE_FRACTION: Final = (0.45, 0.58)
_NECROTIC_FRACTION: Final = (0.28, 0.4)
_GROWTH_FACTORS: Final = (1.0, 1.5)
"""Factor of the volume at each time point."""
_GAP_MM: Final = 8.0
_OFFSETS: Final = [offset for offset in product((-1, 0, 1), repeat=3) if offset > (0, 0, 0)]


def grow_tumour(
    anatomy: Anatomy, spacing_mm: float, *, foci: int, enhancing: bool, time_point: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Simulate a patient's tumour.

    Each focus has a necrotic core, an enhancing rim around it, and oedema around the rim. Foci do not touch. With equal
    generators, the tumour at a later time point is the same one, only larger.

    Args:
        anatomy: the patient's anatomy.
        spacing_mm: edge of a voxel.
        foci: number of foci, 1 or 2.
        enhancing: whether there is an enhancing rim; otherwise the whole core is necrotic.
        time_point: 0 or 1.
        rng: generator of positions, sizes and shapes.

    Returns:
        `NECROSIS`, `OEDEMA`, `ENHANCING` or 0 (X, Y, Z).
    """
    mask = np.zeros(anatomy.brain.shape, np.uint8)
    for _ in range(foci):
        speed = _growth_speed(anatomy, spacing_mm, rng)
        if mask.any():
            gap_mm = max(_GAP_MM, 2.5 * spacing_mm)
            speed[ndimage.distance_transform_edt(mask == 0, sampling=spacing_mm) < gap_mm] = 0
        times = arrival_times(speed, spacing_mm, _choose_origin(anatomy, speed, spacing_mm, rng))
        volume_ml = rng.uniform(*_FOCUS_ML[foci]) * _GROWTH_FACTORS[time_point]
        focus = nested_parts(times, spacing_mm, volume_ml=volume_ml, rng=rng)
        mask = np.maximum(mask, focus)
    if not enhancing:
        mask[mask == ENHANCING] = NECROSIS
    return mask


def arrival_times(speed: NDArray[np.float32], spacing_mm: float, origin: tuple[int, int, int]) -> NDArray[np.float32]:
    """Compute the shortest travel time to each voxel, by Dijkstra's algorithm.

    A step to one of the 26 neighbours takes its length times the mean slowness of the two voxels.

    Args:
        speed: millimetres per unit of time (X, Y, Z); 0 blocks a voxel.
        spacing_mm: edge of a voxel.
        origin: index of the voxel to start from.

    Returns:
        Travel time (X, Y, Z); infinite for voxels that cannot be reached.
    """
    inside = speed > 0
    node = np.full(speed.shape, -1, np.int32)
    node[inside] = np.arange(inside.sum(), dtype=np.int32)
    slowness = np.divide(1.0, speed, out=np.zeros_like(speed), where=inside)
    rows, columns, weights = [], [], []
    for offset in _OFFSETS:
        here = tuple(slice(max(-step, 0), size - max(step, 0)) for step, size in zip(offset, speed.shape, strict=True))
        there = tuple(slice(max(step, 0), size - max(-step, 0)) for step, size in zip(offset, speed.shape, strict=True))
        both = inside[here] & inside[there]
        rows.append(node[here][both])
        columns.append(node[there][both])
        weights.append(spacing_mm * np.linalg.norm(offset) * 0.5 * (slowness[here][both] + slowness[there][both]))
    size = int(inside.sum())
    graph = csr_matrix((np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))), shape=(size, size))
    times = np.full(speed.shape, np.inf, np.float32)
    times[inside] = dijkstra(graph, directed=False, indices=int(node[origin]))
    return times


def nested_parts(
    times: NDArray[np.float32], spacing_mm: float, *, volume_ml: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return one focus of a tumour.

    The focus consists of the voxels that are reached first. The earliest of these are the core, and the deepest part of
    the core is necrosis. Smooth random fields make the outlines of core and necrosis independent of the outer outline.

    Args:
        times: travel times (X, Y, Z), from `arrival_times`.
        spacing_mm: edge of a voxel.
        volume_ml: volume of the focus.
        rng: generator of sizes and outlines.

    Returns:
        `NECROSIS`, `OEDEMA`, `ENHANCING` or 0 (X, Y, Z).
    """
    count = round(volume_ml * 1000 / spacing_mm**3)
    core_count = round(count * rng.uniform(*_CORE_FRACTION))
    necrotic_count = round(core_count * rng.uniform(*_NECROTIC_FRACTION))
    whole = lowest_scores(times, count)
    waves = [smooth_field(whole.shape, spacing_mm, 16.0, rng) for _ in range(2)]
    core = lowest_scores(np.where(whole, times * np.exp(0.2 * waves[0]), np.inf), core_count)
    depth = ndimage.distance_transform_edt(core, sampling=spacing_mm) * np.exp(0.2 * waves[1])
    necrosis = lowest_scores(np.where(core, -depth, np.inf), necrotic_count)
    mask = np.zeros(whole.shape, np.uint8)
    mask[whole], mask[core], mask[necrosis] = OEDEMA, ENHANCING, NECROSIS
    return mask


def lowest_scores(score: NDArray[np.floating], count: int) -> NDArray[np.bool_]:
    """Return which voxels have the `count` lowest scores; among equal scores, earlier voxels come first.

    Args:
        score: any shape.
        count: number of voxels to choose.

    Returns:
        Whether each voxel is chosen, of the shape of `score`.
    """
    chosen = np.zeros(score.size, np.bool_)
    chosen[np.argsort(score, axis=None, kind="stable")[:count]] = True
    return chosen.reshape(score.shape)


def _growth_speed(anatomy: Anatomy, spacing_mm: float, rng: np.random.Generator) -> NDArray[np.float32]:
    tissue = (
        GROWTH_SPEEDS["white"] * anatomy.white
        + GROWTH_SPEEDS["grey"] * anatomy.grey
        + GROWTH_SPEEDS["csf"] * anatomy.csf
    )
    speed: NDArray[np.float32] = tissue * np.exp(0.35 * smooth_field(tissue.shape, spacing_mm, 18.0, rng))
    return speed * anatomy.brain


def _choose_origin(
    anatomy: Anatomy, speed: NDArray[np.float32], spacing_mm: float, rng: np.random.Generator
) -> tuple[int, int, int]:
    """Draw a voxel of deep cerebral white matter, away from the midline, the surface and other foci."""
    x, _, z = anatomy.position
    depth = ndimage.distance_transform_edt(speed > 0, sampling=spacing_mm)
    weight = anatomy.white**2 * ((abs(x) > 18) & (z > 0) & (z < 50) & (depth > 18))
    chosen = rng.choice(weight.size, p=weight.ravel() / weight.sum())
    i, j, k = np.unravel_index(chosen, weight.shape)
    return int(i), int(j), int(k)


_PART_VALUES: Final = {"enhancing": ENHANCING, "necrosis": NECROSIS, "oedema": OEDEMA}
_CYST_FRACTION: Final = 0.5
"""Fraction of the necrosis that is a cyst."""
_CAVITY_ML: Final = (8.0, 16.0)


def task_labels(
    parts: NDArray[np.uint8], anatomy: Anatomy, spacing_mm: float, task: Task, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return the mask of a tumour in the labels of a task.

    A cyst is inside the necrosis, and a cavity is beside the core. Labels without a known meaning get the parts of the
    tumour that have no label yet. If there are more such labels than parts, each further one gets a cavity.

    Args:
        parts: result of `grow_tumour` (X, Y, Z).
        anatomy: the patient's anatomy.
        spacing_mm: edge of a voxel.
        task: its labels are used.
        rng: generator of the shapes of cysts and cavities.

    Returns:
        Labels of the task (X, Y, Z).
    """
    by_part, holes = _assign_labels(task)
    values = np.zeros(ENHANCING + 1, np.uint8)
    for meaning, part in _PART_VALUES.items():
        values[part] = by_part.get(meaning, 0)
    mask = values[parts]
    if cyst := task.label_of("cyst"):
        necrosis = parts == NECROSIS
        field = smooth_field(parts.shape, spacing_mm, 16.0, rng)
        mask[lowest_scores(np.where(necrosis, field, np.inf), round(_CYST_FRACTION * np.count_nonzero(necrosis)))] = (
            cyst
        )
    for label in holes:
        mask[_cavity_mask(parts, anatomy, spacing_mm, rng) & (mask != task.label_of("cyst"))] = label
    return mask


def _assign_labels(task: Task) -> tuple[dict[str, int], Sequence[int]]:
    """Return the label of each part of the tumour by meaning, and the labels of cavities."""
    by_part = {meaning: label for meaning in _PART_VALUES if (label := task.label_of(meaning)) is not None}
    if (tumour := task.label_of("tumour")) is not None:
        by_part = {"enhancing": tumour, "necrosis": tumour, **by_part}
    used = {*by_part.values(), task.label_of("cyst"), task.label_of("cavity")}
    others = [label for label in task.label_values if label not in used]
    for meaning in _PART_VALUES:
        if meaning not in by_part and others:
            by_part[meaning] = others.pop(0)
    core = by_part.get("enhancing", by_part.get("necrosis", by_part.get("oedema", 0)))
    by_part = {"enhancing": core, "necrosis": core, **by_part}
    cavity = task.label_of("cavity")
    return by_part, [*others, *([cavity] if cavity is not None else [])]


def _cavity_mask(
    parts: NDArray[np.uint8], anatomy: Anatomy, spacing_mm: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return a round cavity beside the core of the tumour; it may extend into the oedema."""
    core = (parts == NECROSIS) | (parts == ENHANCING)
    free = anatomy.brain & ~core
    volume_ml = rng.uniform(*_CAVITY_ML)
    radius_mm = (volume_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    beside = free & (ndimage.distance_transform_edt(~core, sampling=spacing_mm) >= 0.5 * radius_mm)
    beside &= ndimage.distance_transform_edt(anatomy.brain, sampling=spacing_mm) > 0.5 * radius_mm
    distance_to_core = np.where(beside, ndimage.distance_transform_edt(~core, sampling=spacing_mm), np.inf)
    nearest = np.flatnonzero(distance_to_core <= distance_to_core.min() + spacing_mm)
    centre = np.array(np.unravel_index(rng.choice(nearest), core.shape))
    indices = np.indices(core.shape, dtype=np.float32)
    distance_to_centre = spacing_mm * np.linalg.norm(indices - centre[:, None, None, None], axis=0)
    wave = np.exp(0.15 * smooth_field((core.shape[0], core.shape[1], core.shape[2]), spacing_mm, 16.0, rng))
    hole: NDArray[np.bool_] = free & (distance_to_centre * wave < radius_mm)
    return hole
