"""From the parts of a grown tumour to the labels of a task, with the parts that only some tasks have."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.demo.anatomy import Anatomy
from tumorseg.demo.randomness import smooth_field
from tumorseg.demo.tumour import ENHANCING, NECROSIS, OEDEMA, lowest
from tumorseg.task import Task

_PARTS: Final = {"enhancing": ENHANCING, "necrosis": NECROSIS, "oedema": OEDEMA}
_CYST_PART: Final = 0.5
"""Part of the necrosis that is a cyst."""
_CAVITY_ML: Final = (8.0, 16.0)


def task_labels(
    parts: NDArray[np.uint8], anatomy: Anatomy, spacing: float, task: Task, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return the mask of a tumour in the labels of a task, uint8 (X, Y, Z).

    A cyst lies inside the necrosis, a cavity beside the core. Of a task with labels of no known meaning each stands for
    a part of the tumour, or for a hole like a cavity where there are not enough parts.

    Args:
        parts: what `grown_tumour` returns.
        anatomy: of the patient.
        spacing: edge of a voxel in millimetres.
        task: whose labels are wanted.
        rng: draws the shape of cysts and cavities.
    """
    by_part, holes = _shared_out(task)
    values = np.zeros(ENHANCING + 1, np.uint8)
    for meaning, part in _PARTS.items():
        values[part] = by_part.get(meaning, 0)
    mask = values[parts]
    if cyst := task.label_of("cyst"):
        necrosis = parts == NECROSIS
        field = smooth_field(parts.shape, spacing, 16.0, rng)
        mask[lowest(np.where(necrosis, field, np.inf), round(_CYST_PART * np.count_nonzero(necrosis)))] = cyst
    for label in holes:
        mask[_hole(parts, anatomy, spacing, rng) & (mask != task.label_of("cyst"))] = label
    return mask


def _shared_out(task: Task) -> tuple[dict[str, int], Sequence[int]]:
    """The label of each part of the tumour, by meaning, and the labels of holes."""
    by_part = {meaning: label for meaning in _PARTS if (label := task.label_of(meaning)) is not None}
    if (tumour := task.label_of("tumour")) is not None:
        by_part = {"enhancing": tumour, "necrosis": tumour, **by_part}
    used = {*by_part.values(), task.label_of("cyst"), task.label_of("cavity")}
    others = [label for label in task.label_values if label not in used]
    for meaning in _PARTS:
        if meaning not in by_part and others:
            by_part[meaning] = others.pop(0)
    core = by_part.get("enhancing", by_part.get("necrosis", by_part.get("oedema", 0)))
    by_part = {"enhancing": core, "necrosis": core, **by_part}
    cavity = task.label_of("cavity")
    return by_part, [*others, *([cavity] if cavity is not None else [])]


def _hole(parts: NDArray[np.uint8], anatomy: Anatomy, spacing: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A round part of the brain beside the core of the tumour, which reaches into the oedema."""
    core = (parts == NECROSIS) | (parts == ENHANCING)
    free = anatomy.brain & ~core
    volume_ml = rng.uniform(*_CAVITY_ML)
    radius = (volume_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    beside = free & (ndimage.distance_transform_edt(~core, sampling=spacing) >= 0.5 * radius)
    beside &= ndimage.distance_transform_edt(anatomy.brain, sampling=spacing) > 0.5 * radius
    near = np.where(beside, ndimage.distance_transform_edt(~core, sampling=spacing), np.inf)
    nearest = np.flatnonzero(near <= near.min() + spacing)
    centre = np.array(np.unravel_index(rng.choice(nearest), core.shape))
    indices = np.indices(core.shape, dtype=np.float32)
    far = spacing * np.linalg.norm(indices - centre[:, None, None, None], axis=0)
    wave = np.exp(0.15 * smooth_field((core.shape[0], core.shape[1], core.shape[2]), spacing, 16.0, rng))
    hole: NDArray[np.bool_] = free & (far * wave < radius)
    return hole
