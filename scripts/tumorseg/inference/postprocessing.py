"""Optional post-processing of predicted masks. Each step reports how many voxels it changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.errors import UserError
from tumorseg.task import Region, Task

StepFunction = Callable[[NDArray[np.uint8], float, Any, Task], dict[str, int]]
"""A function that changes a mask (x, y, z) in place.

It receives the mask, the volume of a voxel in mm³, the step's setting and the task. It returns how many voxels it
changed, by the name of the change. Zeros are included.
"""


@dataclass(frozen=True)
class Step:
    """A post-processing step.

    Attributes:
        name: key of its setting in the section `prediction` of the configuration.
        run: function that changes a mask.
    """

    name: str
    run: StepFunction


STEPS: Final[list[Step]] = []
"""The steps in the order in which they run, which is their order in this file."""


def register_step(name: str) -> Callable[[StepFunction], StepFunction]:
    """Return a decorator that registers a function as a post-processing step.

    Args:
        name: name of the step, see `Step`.
    """

    def register(run: StepFunction) -> StepFunction:
        STEPS.append(Step(name, run))
        return run

    return register


def postprocess(
    mask: NDArray[np.uint8], voxel_mm3: float, section: Mapping[str, Any], task: Task
) -> tuple[NDArray[np.uint8], dict[str, int]]:
    """Apply all post-processing steps to a mask.

    Args:
        mask: canonical labels, uint8 (x, y, z); not changed.
        voxel_mm3: volume of a voxel in mm³.
        section: `prediction` section of the configuration.
        task: defines the regions.

    Returns:
        The new mask, uint8 (x, y, z), and the number of voxels that each step changed.
    """
    result = mask.copy()
    changed: dict[str, int] = {}
    for step in STEPS:
        changed |= step.run(result, voxel_mm3, section[step.name], task)
    return result, changed


@register_step("remove_components")
def _remove_components(
    mask: NDArray[np.uint8], voxel_mm3: float, min_volumes_mm3: Mapping[str, float], task: Task
) -> dict[str, int]:
    """Remove the components of each region that are below its minimum volume. Other regions keep all components."""
    # Inner regions come first: a removed component of enhancing tumour may become a small component of core.
    changed = {}
    for region in smallest_first(task):
        small = _small_components(np.isin(mask, region.labels), min_volumes_mm3.get(region.name, 0) / voxel_mm3)
        mask[small] = region.removed_to
        changed[f"removed_from_{region.name}"] = int(np.count_nonzero(small))
    return changed


@register_step("min_enhancing_mm3")
def _remove_small_enhancing_tumour(
    mask: NDArray[np.uint8], voxel_mm3: float, min_volume_mm3: float, task: Task
) -> dict[str, int]:
    """Replace all enhancing tumour of a mask if it is below a minimum volume."""
    region = task.enhancing_region
    if region is None:
        if min_volume_mm3 > 0:
            raise UserError(f"prediction.min_enhancing_mm3: the task {task.name} has no enhancing tumour; set it to 0")
        return {}
    enhancing = np.isin(mask, region.labels)
    is_too_small = np.count_nonzero(enhancing) * voxel_mm3 < min_volume_mm3
    if is_too_small:
        mask[enhancing] = region.removed_to
    return {"enhancing_made_core": int(np.count_nonzero(enhancing)) if is_too_small else 0}


@register_step("fill_holes")
def _fill_holes(mask: NDArray[np.uint8], _voxel_mm3: float, wanted: bool, task: Task) -> dict[str, int]:
    """Give enclosed background of each region the label that the task defines for its holes."""
    filled = 0
    for region in smallest_first(task) if wanted else ():
        if region.holes is not None:
            holes = ndimage.binary_fill_holes(np.isin(mask, region.labels)) & (mask == 0)
            mask[holes] = region.holes
            filled += int(np.count_nonzero(holes))
    return {"filled": filled}


def smallest_first(task: Task) -> list[Region]:
    """Return the regions in the order in which steps handle them: inner regions before those that contain them."""
    return sorted(task.regions, key=lambda region: len(region.labels))


def _small_components(region: NDArray[np.bool_], min_voxels: float) -> NDArray[np.bool_]:
    """Return the voxels of 26-connected components with fewer voxels than the minimum."""
    if min_voxels <= 1 or not region.any():
        return np.zeros_like(region)
    component_of, count = cc3d.connected_components(region, connectivity=26, return_N=True)
    is_small = np.bincount(component_of.ravel(), minlength=count + 1) < min_voxels
    is_small[0] = False
    small: NDArray[np.bool_] = is_small[component_of]
    return small
