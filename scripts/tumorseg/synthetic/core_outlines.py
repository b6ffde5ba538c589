"""Draw the outlines of tumour cores: lobes, irregular borders, and barriers that they respect."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.demo.anatomy import Anatomy
from tumorseg.demo.random_fields import smooth_field
from tumorseg.synthetic.draws import log_uniform

_LOBES: Final = (1, 4)
_FALX_MM: Final = 3.0


def core_outline(
    anatomy: Anatomy,
    spacing_mm: float,
    centre: tuple[int, int, int],
    volume_ml: float,
    *,
    crosses_midline: bool,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Return the voxels of one tumour core, connected around its centre.

    Args:
        anatomy: the patient's anatomy.
        spacing_mm: edge of a voxel.
        centre: voxel index.
        volume_ml: volume; the result may be a little smaller.
        crosses_midline: whether the core extends to both hemispheres.
        rng: generator of lobes and outline.
    """
    radius_mm = max((volume_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3), 0.8 * spacing_mm)
    shape = anatomy.brain.shape
    reach = int(np.ceil(2.6 * radius_mm / spacing_mm)) + 2
    box = tuple(slice(max(0, at - reach), min(size, at + reach + 1)) for at, size in zip(centre, shape, strict=True))
    start = np.array([side.start for side in box])
    local: tuple[int, int, int] = tuple(side.stop - side.start for side in box)
    offset = (
        np.indices(local, dtype=np.float32) + (start - centre)[:, None, None, None].astype(np.float32)
    ) * np.float32(spacing_mm)
    score = _lobes(offset, radius_mm, crosses_midline=crosses_midline, rng=rng)
    for scale, low, high in ((1.1, 0.03, 0.24), (0.45, 0.0, 0.16)):
        nodes_mm = max(scale * radius_mm, 2 * spacing_mm)
        score *= np.exp(rng.uniform(low, high) * smooth_field(local, spacing_mm, nodes_mm, rng))
    score *= 1 + rng.uniform(0.1, 1.8) * ndimage.gaussian_filter(anatomy.csf[box], 1.3)
    score *= 1 + rng.uniform(0.0, 0.4) * anatomy.grey[box]
    if not crosses_midline:
        score *= _falx_penalty(anatomy, centre, box)
    score[~anatomy.brain[box]] = np.inf
    count = min(max(1, round(volume_ml * 1000 / spacing_mm**3)), int(np.isfinite(score).sum()))
    threshold = np.partition(score, count - 1, axis=None)[count - 1]
    outline = _connected(score <= threshold, tuple(at - int(first) for at, first in zip(centre, start, strict=True)))
    core = np.zeros(shape, np.bool_)
    core[box] = outline
    return core


def _lobes(
    offset: NDArray[np.float32], radius_mm: float, *, crosses_midline: bool, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the smallest distance to any lobe, in units of the lobe's radius."""
    count = int(rng.integers(_LOBES[0], _LOBES[1] + 1))
    nearest = np.full(offset.shape[1:], np.inf, np.float32)
    for lobe in range(max(count, 2) if crosses_midline else count):
        shift = np.zeros(3) if lobe == 0 else rng.standard_normal(3) * 0.45 * radius_mm
        if crosses_midline:
            shift = np.array([(-1) ** lobe * rng.uniform(0.5, 0.9), rng.normal(0, 0.2), rng.normal(0, 0.2)]) * radius_mm
        matrix = rng.standard_normal((3, 3))
        axes, _ = np.linalg.qr(matrix)
        stretch = np.array([log_uniform(rng, 0.65, 1.55) for _ in range(3)])
        stretch /= np.prod(stretch) ** (1 / 3)
        size = 1.0 if lobe == 0 else rng.uniform(0.5, 1.0)
        transform = (axes / (stretch * size * radius_mm)).T.astype(np.float32)
        moved = np.einsum("ij,jxyz->ixyz", transform, offset - shift.astype(np.float32)[:, None, None, None])
        nearest = np.minimum(nearest, np.sqrt((moved**2).sum(axis=0)))
    return nearest + np.float32(0.05)


def _falx_penalty(anatomy: Anatomy, centre: tuple[int, int, int], box: tuple[slice, ...]) -> NDArray[np.float32]:
    """Return a factor that grows beyond the midline, seen from the centre."""
    side = np.sign(anatomy.position[0][centre]) or 1.0
    beyond_mm = np.maximum(-side * anatomy.position[0][box], 0)
    penalty: NDArray[np.float32] = np.exp(beyond_mm / _FALX_MM).astype(np.float32)
    return penalty


def _connected(chosen: NDArray[np.bool_], centre: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the component around the centre, or the largest one if the centre is not chosen."""
    labels, count = ndimage.label(chosen)
    if count <= 1:
        return chosen
    wanted = labels[centre]
    if wanted == 0:
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        wanted = int(sizes.argmax())
    component: NDArray[np.bool_] = ndimage.binary_fill_holes(labels == wanted)
    return component
