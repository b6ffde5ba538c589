"""Fill tumour cores with tissue: rims, necrosis, patches, cells, cysts and nodules."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from tumorseg.demo.random_fields import smooth_field
from tumorseg.synthetic.draws import choose, log_uniform
from tumorseg.synthetic.tissues import Tissue

Pattern = Callable[["Core"], NDArray[np.uint8]]
"""Returns the tissue of each voxel of the box around a core (x, y, z); voxels outside the core are ignored."""


class Core:
    """A core in the box around it, with the fields that patterns are made of.

    Args:
        inside: whether each voxel of the box is in the core (x, y, z), with a margin of False around it.
        spacing_mm: edge of a voxel.
        rng: generator of the pattern.
    """

    def __init__(self, inside: NDArray[np.bool_], spacing_mm: float, rng: np.random.Generator) -> None:
        self.inside, self.spacing_mm, self.rng = inside, spacing_mm, rng
        self.depth_mm = ndimage.distance_transform_edt(inside, sampling=spacing_mm).astype(np.float32)
        self.radius_mm = float((np.count_nonzero(inside) * spacing_mm**3 * 3 / (4 * np.pi)) ** (1 / 3))

    def field(self, low_mm: float, high_mm: float) -> NDArray[np.float32]:
        """Return a smooth random field with a random distance between its nodes."""
        nodes_mm = max(log_uniform(self.rng, low_mm, high_mm), 1.5 * self.spacing_mm)
        shape: tuple[int, int, int] = self.inside.shape
        return smooth_field(shape, self.spacing_mm, nodes_mm, self.rng)

    def fraction(self, score: NDArray[np.float32], share: float) -> NDArray[np.bool_]:
        """Return the given share of the core with the highest scores.

        Args:
            score: any value for each voxel of the box (x, y, z).
            share: fraction of the core, 0 to 1.
        """
        threshold = np.quantile(score[self.inside], 1 - share)
        return self.inside & (score >= threshold)

    def interior(self) -> NDArray[np.uint8]:
        """Return core without enhancement: solid tissue, fluid, blood or a mixture of them."""
        kind = choose(self.rng, {"solid": 0.4, "fluid": 0.35, "mixed": 0.25})
        tissue = np.full(self.inside.shape, Tissue.FLUID if kind == "fluid" else Tissue.SOLID, np.uint8)
        if kind == "mixed":
            deep = self.field(10, 30) + self.rng.uniform(-0.05, 0.15) * self.depth_mm
            tissue[self.fraction(deep, self.rng.uniform(0.15, 0.8))] = Tissue.FLUID
        if self.rng.random() < _BLOOD_PROBABILITY:
            tissue[self.fraction(self.field(6, 20), log_uniform(self.rng, 0.02, 0.35))] = Tissue.BLOOD
        return tissue

    def rim(self) -> NDArray[np.bool_]:
        """Return a rim of varying thickness, often broken."""
        thickness_mm = log_uniform(self.rng, 0.8 * self.spacing_mm, max(2.0 * self.spacing_mm, 0.45 * self.radius_mm))
        varying = thickness_mm * np.exp(self.rng.uniform(0.05, 0.6) * self.field(8, 30))
        rim: NDArray[np.bool_] = self.inside & (self.depth_mm <= varying)
        if self.rng.random() < _BROKEN_PROBABILITY:
            rim &= self.field(8, 35) < self.rng.uniform(0.3, 1.8)
        return rim


_BLOOD_PROBABILITY: Final = 0.22
_BROKEN_PROBABILITY: Final = 0.5


def _ring(core: Core) -> NDArray[np.uint8]:
    tissue = core.interior()
    rng = core.rng
    if rng.random() < 0.5:  # islands and bands of enhancing tissue inside
        tissue[core.fraction(core.field(5, 15), rng.uniform(0.02, 0.25))] = Tissue.ENHANCING
    if rng.random() < 0.3:  # thicker on one side
        tissue[core.fraction(core.field(1.0 * core.radius_mm, 2.5 * core.radius_mm), rng.uniform(0.05, 0.35))] = (
            Tissue.ENHANCING
        )
    tissue[core.rim()] = Tissue.ENHANCING
    return tissue


def _patchy(core: Core) -> NDArray[np.uint8]:
    tissue = core.interior()
    score = core.field(4, 20) + core.rng.uniform(0, 1) * core.field(3, 8)
    tissue[core.fraction(score, core.rng.uniform(0.12, 0.75))] = Tissue.ENHANCING
    return tissue


def _cells(core: Core) -> NDArray[np.uint8]:
    """Return cells around random points, with walls where the two nearest points are about equally far."""
    rng = core.rng
    voxels = np.argwhere(core.inside)
    count = int(np.clip(rng.integers(5, 25), 2, len(voxels)))
    bent = np.stack([core.field(8, 20)[core.inside] for _ in range(3)], axis=1)  # without it, walls would be flat
    bent = voxels + bent * (rng.uniform(0.08, 0.25) * core.radius_mm / core.spacing_mm)
    points = bent[rng.choice(len(voxels), count, replace=False)]
    distance, nearest = cKDTree(points).query(bent, k=2)
    wall_mm = (distance[:, 1] - distance[:, 0]) * core.spacing_mm
    wave = np.exp(0.4 * core.field(6, 20))[core.inside]
    wall = wall_mm < wave * rng.uniform(1.5, 5.0)
    contents = rng.choice([Tissue.FLUID, Tissue.SOLID, Tissue.ENHANCING], count, p=[0.45, 0.4, 0.15])
    tissue = np.full(core.inside.shape, Tissue.SOLID, np.uint8)
    tissue[core.inside] = np.where(wall, Tissue.ENHANCING, contents[nearest[:, 0]])
    if rng.random() < 0.7:
        tissue[core.rim()] = Tissue.ENHANCING
    return tissue


def _enclosed(core: Core) -> NDArray[np.uint8]:
    """Return an enhancing part, with or without its own necrosis, inside a larger solid core."""
    rng = core.rng
    score = core.field(0.8 * core.radius_mm, 2.0 * core.radius_mm) + rng.uniform(0, 0.3) * core.depth_mm
    part = Core(core.fraction(score, rng.uniform(0.06, 0.6)), core.spacing_mm, rng)
    tissue = core.interior()
    tissue[part.inside] = _PATTERNS[choose(rng, {"ring": 0.6, "patchy": 0.2, "enhancing": 0.2})](part)[part.inside]
    return tissue


def _enhancing(core: Core) -> NDArray[np.uint8]:
    tissue = np.full(core.inside.shape, Tissue.ENHANCING, np.uint8)
    holes = core.fraction(core.field(4, 15), core.rng.uniform(0.0, 0.15))
    tissue[holes] = core.interior()[holes]
    return tissue


def _nodule(core: Core) -> NDArray[np.uint8]:
    rng = core.rng
    tissue = np.full(core.inside.shape, Tissue.FLUID, np.uint8)
    border = np.argwhere(core.inside & (core.depth_mm < 2 * core.spacing_mm))
    centre = border[rng.integers(len(border))]
    offset_mm = core.spacing_mm * np.linalg.norm(np.indices(core.inside.shape).T - centre, axis=-1).T
    near = offset_mm.astype(np.float32) * np.exp(0.3 * core.field(6, 20))
    nodule = core.fraction(-near, rng.uniform(0.05, 0.4))
    tissue[nodule] = Tissue.SOLID if rng.random() < 0.25 else Tissue.ENHANCING
    if rng.random() < 0.5:
        tissue[core.rim() & (core.depth_mm < 2.5 * core.spacing_mm)] = Tissue.ENHANCING
    return tissue


def _specks(core: Core) -> NDArray[np.uint8]:
    tissue = core.interior()
    score = core.field(4, 12) + core.field(1.0 * core.radius_mm, 2.0 * core.radius_mm)
    tissue[core.fraction(score, log_uniform(core.rng, 0.002, 0.06))] = Tissue.ENHANCING
    return tissue


def _dark(core: Core) -> NDArray[np.uint8]:
    return core.interior()


_PATTERNS: Final[dict[str, Pattern]] = {
    "ring": _ring,
    "patchy": _patchy,
    "cells": _cells,
    "enclosed": _enclosed,
    "enhancing": _enhancing,
    "nodule": _nodule,
    "specks": _specks,
    "dark": _dark,
}


def fill_core(
    inside: NDArray[np.bool_], pattern: str, spacing_mm: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return the tissue of a core.

    Args:
        inside: whether each voxel is in the core (X, Y, Z).
        pattern: a key of `tumour_plan.PATTERNS`.
        spacing_mm: edge of a voxel.
        rng: generator of the pattern.

    Returns:
        Values of `Tissue` (X, Y, Z); `NONE` outside the core.
    """
    tissue = np.zeros(inside.shape, np.uint8)
    box = ndimage.find_objects(inside.astype(np.uint8))[0]
    core = Core(np.pad(inside[box], 1), spacing_mm, rng)
    filled = _PATTERNS[pattern](core)[1:-1, 1:-1, 1:-1]
    tissue[box] = np.where(inside[box], filled, Tissue.NONE)
    return tissue
