"""What is done to a predicted mask by choice, and how many voxels each choice changed."""

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
"""Changes a mask (x, y, z) in place, from the volume of a voxel in mm³, the step's own setting and the task.

Returns how many voxels it changed, by name; 0 too where there was nothing to do.
"""


@dataclass(frozen=True)
class Step:
    """A step of the post-processing. name: the key in the section `prediction` of the configuration that sets it."""

    name: str
    run: StepFunction


STEPS: Final[list[Step]] = []
"""In the order in which they run: that of this file."""


def register_step(name: str) -> Callable[[StepFunction], StepFunction]:
    """Register a function as a step of the post-processing, under the key of the configuration that sets it."""

    def register(run: StepFunction) -> StepFunction:
        STEPS.append(Step(name, run))
        return run

    return register


def postprocess(
    mask: NDArray[np.uint8], voxel_mm3: float, section: Mapping[str, Any], task: Task
) -> tuple[NDArray[np.uint8], dict[str, int]]:
    """A mask of labels (x, y, z) after post-processing, and the voxels that each step changed.

    section: `prediction` of the configuration.
    """
    result = mask.copy()
    changed: dict[str, int] = {}
    for one in STEPS:
        changed |= one.run(result, voxel_mm3, section[one.name], task)
    return result, changed


@register_step("remove_components")
def _remove_components(
    mask: NDArray[np.uint8], voxel_mm3: float, min_volumes_mm3: Mapping[str, float], task: Task
) -> dict[str, int]:
    """Take the pieces of each region off it that are smaller than so many mm³; of one that is not named, none.

    Small regions come first, so that what is left of a piece of enhancing tumour may still be a small piece of core.
    """
    changed = {}
    for region in _smallest_first(task):
        small = _small_components(np.isin(mask, region.labels), min_volumes_mm3.get(region.name, 0) / voxel_mm3)
        mask[small] = region.removed_to
        changed[f"removed_from_{region.name}"] = int(np.count_nonzero(small))
    return changed


@register_step("smallest_enhancing")
def _remove_small_enhancing_tumour(
    mask: NDArray[np.uint8], voxel_mm3: float, min_volume_mm3: float, task: Task
) -> dict[str, int]:
    """Replace all enhancing tumour of a mask where it is less than so many mm³. Raises UserError for a task without."""
    region = task.enhancing_region
    if region is None:
        if min_volume_mm3 > 0:
            raise UserError(f"prediction.min_enhancing_mm3: the task {task.name} has no enhancing tumour; set it to 0")
        return {}
    enhancing = np.isin(mask, region.labels)
    too_little = np.count_nonzero(enhancing) * voxel_mm3 < min_volume_mm3
    if too_little:
        mask[enhancing] = region.removed_to
    return {"enhancing_made_core": int(np.count_nonzero(enhancing)) if too_little else 0}


@register_step("fill_holes")
def _fill_holes(mask: NDArray[np.uint8], _voxel_mm3: float, wanted: bool, task: Task) -> dict[str, int]:
    """Make background that a region encloses the label that the task gives its holes."""
    filled = 0
    for region in _smallest_first(task) if wanted else ():
        if region.holes is not None:
            holes = ndimage.binary_fill_holes(np.isin(mask, region.labels)) & (mask == 0)
            mask[holes] = region.holes
            filled += int(np.count_nonzero(holes))
    return {"filled": filled}


def _smallest_first(task: Task) -> list[Region]:
    return sorted(task.regions, key=lambda region: len(region.labels))


def _small_components(region: NDArray[np.bool_], min_voxels: float) -> NDArray[np.bool_]:
    """The 26-connected pieces of a region that have fewer voxels."""
    if min_voxels <= 1 or not region.any():
        return np.zeros_like(region)
    pieces, count = cc3d.connected_components(region, connectivity=26, return_N=True)
    small = np.bincount(pieces.ravel(), minlength=count + 1) < min_voxels
    small[0] = False
    chosen: NDArray[np.bool_] = small[pieces]
    return chosen
