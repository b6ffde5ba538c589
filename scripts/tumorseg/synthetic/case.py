"""Simulate one synthetic case: its images and mask, or the case normalised like a real one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.demo.anatomy import Anatomy, CohortGrid, Template, cohort_grid, load_template
from tumorseg.demo.lookalikes import make_lookalikes
from tumorseg.geometry import bounding_box
from tumorseg.preprocessing.crop import crop
from tumorseg.preprocessing.normalisation import normalise_intensities
from tumorseg.preprocessing.resampling import stored_settings
from tumorseg.preprocessing.store import NormalisedCase, Origin
from tumorseg.synthetic.brain_outline import strip_skull
from tumorseg.synthetic.contrasts import Means, draw_contrasts
from tumorseg.synthetic.displacement import push_outwards, shifted_positions
from tumorseg.synthetic.draws import Purpose, case_generator
from tumorseg.synthetic.heads import random_matter_power, random_positions, sample_anatomy, ventricles
from tumorseg.synthetic.requirements import cube_edge_mm, require_simulated
from tumorseg.synthetic.scanner import draw_scans, scan_channel
from tumorseg.synthetic.tissue_maps import Textures, tissue_fractions
from tumorseg.synthetic.tissues import task_labels
from tumorseg.synthetic.tumour_plan import plan_foci, random_reach_mm
from tumorseg.synthetic.tumours import core_outlines, grow_tumours
from tumorseg.task import Task

_DETAIL: Final = {"t1": 1.0, "t1ce": 1.0, "t2": -0.5, "flair": -0.4}
"""Weight of the template's T1 detail in each channel."""
_EDGE_STRENGTH: Final = (0.1, 1.2)
_VENTRICLE_SHIFT_MM: Final = (-2.5, 7.0)
_VENTRICLE_REACH_MM: Final = 14.0


def case_name(seed: int, index: int) -> str:
    """Return the name of a synthetic case."""
    return f"synthetic-{seed}-{index:06d}"


@dataclass(frozen=True, eq=False)
class SimulatedCase:
    """The images and the mask of a synthetic case, as in its files.

    Attributes:
        images: for each channel, int16 (X, Y, Z); 0 outside the brain.
        mask: canonical labels of the task, uint8 (X, Y, Z); 0 where all images are 0.
        grid: their grid.
    """

    images: dict[str, NDArray[np.int16]]
    mask: NDArray[np.uint8]
    grid: CohortGrid


def synthetic_case(settings: Mapping[str, Any], task: Task, seed: int, index: int) -> NormalisedCase:
    """Simulate a case and normalise it.

    Args:
        settings: the section `normalisation` of the configuration.
        task: as for `simulate_case`.
        seed: as for `simulate_case`.
        index: as for `simulate_case`.

    Returns:
        The case on the grid of the network. Its origin has no files.

    Raises:
        UserError: see `simulate_case`.
    """
    return _normalise(case_name(seed, index), simulate_case(settings, task, seed, index), settings)


def simulate_case(settings: Mapping[str, Any], task: Task, seed: int, index: int) -> SimulatedCase:
    """Simulate a case: a random head with random tumours, scanned in random contrasts.

    Equal arguments give equal cases. The case does not depend on the cases before it.

    Args:
        settings: only `spacing_mm` matters: the edge of a voxel, a number or three equal ones.
        task: its channels and labels are simulated.
        seed: seed of the cohort.
        index: number of the case.

    Returns:
        Images and mask, on the grid of all cases with these voxels.

    Raises:
        UserError: the task has channels or labels that cannot be simulated, or the voxels are no cubes of 1 to 8 mm.
    """
    require_simulated(task)
    spacing_mm = cube_edge_mm(settings)
    template, grid = _template(spacing_mm)

    head_rng, tumour_rng = (case_generator(seed, index, purpose) for purpose in (Purpose.HEAD, Purpose.TUMOUR))
    positions, linear = random_positions(grid, head_rng)
    matter_power = random_matter_power(head_rng)
    healthy = sample_anatomy(template, positions, matter_power)
    depth_mm = ndimage.distance_transform_edt(healthy.brain, sampling=spacing_mm)
    foci = plan_foci(healthy, depth_mm, spacing_mm, tumour_rng)
    cores = core_outlines(healthy, foci, spacing_mm, tumour_rng)
    shift = push_outwards(
        ventricles(healthy),
        depth_mm,
        spacing_mm,
        shift_mm=head_rng.uniform(*_VENTRICLE_SHIFT_MM),
        reach_mm=_VENTRICLE_REACH_MM,
    )
    for focus, core in zip(foci, cores, strict=True):
        reach_mm = random_reach_mm(focus.core_ml, tumour_rng)
        shift += push_outwards(core, depth_mm, spacing_mm, shift_mm=focus.mass_effect_mm, reach_mm=reach_mm)
    displaced = shifted_positions(positions, shift, linear, np.sign(np.diag(grid.affine)[:3]))
    anatomy = sample_anatomy(template, displaced, matter_power)

    head = strip_skull(anatomy, spacing_mm, case_generator(seed, index, Purpose.OUTLINE))
    tumours = grow_tumours(
        _without_remnants(head.anatomy, head.remnants),
        foci,
        cores,
        spacing_mm,
        with_cavity=task.label_of("cavity") is not None,
        rng=tumour_rng,
    )
    lookalikes = make_lookalikes(head.anatomy, spacing_mm, case_generator(seed, index, Purpose.LOOKALIKES))
    rng = case_generator(seed, index, Purpose.CONTRAST)
    fractions = tissue_fractions(head, tumours, lookalikes, spacing_mm, rng)
    textures = Textures(tumours, spacing_mm, rng)
    scanner_rng = case_generator(seed, index, Purpose.SCANNER)
    edge = _edge_factor(head.anatomy.brain, rng)
    scans = draw_scans(task.channel_names, scanner_rng)
    images = {}
    for channel, means in draw_contrasts(task.channel_names, rng).items():
        detail = np.float32(_DETAIL[channel] * rng.uniform(0.4, 1.3)) * head.anatomy.detail
        signal = _signal(fractions, means, textures, detail, rng) * edge
        images[channel] = scan_channel(signal, head.anatomy.brain, spacing_mm, scans[channel], scanner_rng)
    shown = np.any([image != 0 for image in images.values()], axis=0)
    return SimulatedCase(images, np.where(shown, task_labels(tumours.tissue, task), 0).astype(np.uint8), grid)


@lru_cache(maxsize=2)
def _template(spacing_mm: float) -> tuple[Template, CohortGrid]:
    template = load_template(spacing_mm)
    return template, cohort_grid(template, spacing_mm)


def _without_remnants(anatomy: Anatomy, remnants: NDArray[np.bool_]) -> Anatomy:
    """Return the anatomy where tumours can grow."""
    brain = anatomy.brain & ~remnants
    grey, white, csf = (fraction * brain for fraction in (anatomy.grey, anatomy.white, anatomy.csf))
    return Anatomy(grey, white, csf, anatomy.detail, brain, anatomy.position)


def _edge_factor(brain: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a factor that darkens the surface, where stripped scans average brain and background (X, Y, Z)."""
    covered = 2 * ndimage.gaussian_filter(brain.astype(np.float32), 0.8) - 1
    factor: NDArray[np.float32] = 1 - np.float32(rng.uniform(*_EDGE_STRENGTH)) * (1 - covered)
    return np.clip(factor, 0, 1)


def _signal(
    fractions: Mapping[str, NDArray[np.float32]],
    means: Means,
    textures: Textures,
    detail: NDArray[np.float32],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return the noise-free intensities of a channel (X, Y, Z)."""
    signal: NDArray[np.float32] = detail * (fractions["grey"] + fractions["white"])
    for tissue, fraction in fractions.items():
        signal = signal + np.float32(means[tissue]) * fraction * textures.draw(tissue, rng)
    return np.maximum(signal, np.float32(0))


def _normalise(name: str, case: SimulatedCase, settings: Mapping[str, Any]) -> NormalisedCase:
    images, grid = case.images, case.grid
    brain = np.any([image != 0 for image in images.values()], axis=0)
    box = bounding_box(brain, settings["margin_voxels"])
    affine = tuple(tuple(row) for row in (grid.affine + 0.0).tolist())
    origin = Origin(name, grid.shape, affine, box, None, stored_settings(settings), {})
    cropped = {channel: crop(image, origin) for channel, image in images.items()}
    normalised = np.empty((len(images), *next(iter(cropped.values())).shape), np.float16)
    intensities = {}
    for index, (channel, voxels) in enumerate(cropped.items()):
        _, intensities[channel] = normalise_intensities(voxels, settings["clip_percentiles"], out=normalised[index])
    mask = np.ascontiguousarray(crop(case.mask, origin))
    return NormalisedCase(normalised, mask, replace(origin, intensities=intensities))
