"""Simulate a patient's tumours in the anatomy that they displace."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.demo.anatomy import Anatomy
from tumorseg.demo.random_fields import smooth_field
from tumorseg.synthetic.core_outlines import core_outline
from tumorseg.synthetic.core_patterns import fill_core
from tumorseg.synthetic.oedema import grow_oedema
from tumorseg.synthetic.tissues import Tissue
from tumorseg.synthetic.tumour_plan import Focus

_NO_CORE_PROBABILITY: Final = 0.04
"""Probability that a patient's tumours consist of oedema only."""
_CAVITY_ML: Final = (2.0, 40.0)


@dataclass(frozen=True)
class Tumours:
    """All tumours of a patient.

    Attributes:
        tissue: values of `Tissue` (X, Y, Z).
        core_depth_mm: distance of each voxel of a core to its border, 0 elsewhere (X, Y, Z).
        core_distance_mm: distance of each voxel to the nearest core, 0 inside (X, Y, Z).
    """

    tissue: NDArray[np.uint8]
    core_depth_mm: NDArray[np.float32]
    core_distance_mm: NDArray[np.float32]


def core_outlines(
    anatomy: Anatomy, foci: list[Focus], spacing_mm: float, rng: np.random.Generator
) -> list[NDArray[np.bool_]]:
    """Return the core of each focus (X, Y, Z); cores do not overlap, and an empty one is left out.

    Args:
        anatomy: the anatomy before it is displaced.
        foci: the planned foci.
        spacing_mm: edge of a voxel.
        rng: generator of the outlines.
    """
    taken = np.zeros(anatomy.brain.shape, np.bool_)
    cores = []
    for focus in foci:
        core = core_outline(anatomy, spacing_mm, focus.centre, focus.core_ml, crosses_midline=focus.butterfly, rng=rng)
        cores.append(core & ~taken)
        taken |= core
    return cores


def grow_tumours(
    anatomy: Anatomy,
    foci: list[Focus],
    cores: list[NDArray[np.bool_]],
    spacing_mm: float,
    *,
    with_cavity: bool,
    rng: np.random.Generator,
) -> Tumours:
    """Return the tumours: cores filled with tissue, and oedema around them.

    Args:
        anatomy: the anatomy that the cores have displaced.
        foci: the planned foci.
        cores: the core of each focus (X, Y, Z).
        spacing_mm: edge of a voxel.
        with_cavity: whether a resection cavity may be beside a core.
        rng: generator of patterns and oedema.
    """
    tissue = np.zeros(anatomy.brain.shape, np.uint8)
    only_oedema = rng.random() < _NO_CORE_PROBABILITY
    for focus, planned in zip(foci, cores, strict=True):
        core = planned & anatomy.brain
        if not core.any():
            continue
        oedema = grow_oedema(anatomy, core, spacing_mm, focus.oedema_ml, rng)
        tissue[oedema & (tissue == Tissue.NONE)] = Tissue.OEDEMA
        filled = fill_core(core, focus.pattern, spacing_mm, rng)
        tissue[core] = Tissue.OEDEMA if only_oedema else filled[core]
    core = tissue > Tissue.OEDEMA
    if with_cavity and core.any() and rng.random() < 0.7:
        tissue[_cavity(anatomy, core, spacing_mm, rng)] = Tissue.CAVITY
        core = (tissue > Tissue.OEDEMA) & (tissue != Tissue.CAVITY)
    depth = ndimage.distance_transform_edt(core, sampling=spacing_mm)
    distance = ndimage.distance_transform_edt(~core, sampling=spacing_mm) if core.any() else np.zeros(core.shape)
    return Tumours(tissue, depth.astype(np.float32), distance.astype(np.float32))


def _cavity(
    anatomy: Anatomy, core: NDArray[np.bool_], spacing_mm: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return a resection cavity around a voxel of the core's surroundings."""
    volume_ml = float(np.exp(rng.uniform(*np.log(_CAVITY_ML))))
    radius_mm = (volume_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    distance_mm = ndimage.distance_transform_edt(~core, sampling=spacing_mm)
    beside = np.argwhere(anatomy.brain & (distance_mm <= radius_mm))
    centre = beside[rng.integers(len(beside))]
    offset = np.indices(core.shape, dtype=np.float32) - centre.astype(np.float32)[:, None, None, None]
    shape: tuple[int, int, int] = core.shape
    wave = np.exp(0.2 * smooth_field(shape, spacing_mm, 14.0, rng))
    hole: NDArray[np.bool_] = anatomy.brain & (spacing_mm * np.sqrt((offset**2).sum(axis=0)) * wave < radius_mm)
    return hole
