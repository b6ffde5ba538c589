"""The settings of post-processing that the target `postprocessing` compares."""

from collections.abc import Mapping
from itertools import product
from math import prod
from typing import Any, Final

from tumorseg.task import Task

Candidate = Mapping[str, Any]
"""The post-processing keys of the section `prediction` of the configuration, with a volume for each region."""

MAX_CANDIDATES: Final = 5000
"""Maximum number of candidates. Each takes some milliseconds per case."""


def candidates(section: Mapping[str, Any], task: Task) -> list[Candidate]:
    """Return all combinations of the settings to try, ordered from no post-processing to the most.

    Less post-processing means fewer settings in use, then a smaller sum of their volumes.

    Args:
        section: `postprocessing` section of the configuration.
        task: defines the regions, and whether they have holes to fill and enhancing tumour.
    """
    *volumes, smallest, fills = _grids(section, task)
    found = [
        {
            "remove_components": dict(zip(task.region_labels, combination, strict=True)),
            "min_enhancing_mm3": min_enhancing_mm3,
            "fill_holes": fill_holes,
        }
        for *combination, min_enhancing_mm3, fill_holes in product(*volumes, smallest, fills)
    ]
    return sorted(found, key=_amount)


def no_postprocessing(task: Task) -> Candidate:
    """Return the candidate that changes nothing."""
    return candidates({"remove_components_mm3": [], "min_enhancing_mm3": [], "fill_holes": False}, task)[0]


def candidate_count(section: Mapping[str, Any], task: Task) -> int:
    """Return the number of candidates.

    Args:
        section: `postprocessing` section of the configuration.
        task: defines the regions.
    """
    return prod(map(len, _grids(section, task)))


def settings_in_use(candidate: Candidate) -> dict[str, Any]:
    """Return the settings of a candidate that may change a mask, by key; empty if none may."""
    volumes = {region: volume for region, volume in candidate["remove_components"].items() if volume}
    return {key: value for key, value in {**candidate, "remove_components": volumes}.items() if value}


def _grids(section: Mapping[str, Any], task: Task) -> list[list[Any]]:
    """Return the values to try of the volume of each region, the volume of enhancing tumour, and the filling."""
    has_holes = any(region.holes is not None for region in task.regions)
    return [
        *([0, *section["remove_components_mm3"]] for _ in task.regions),
        [0, *section["min_enhancing_mm3"]] if task.enhancing_region else [0],
        [False, True] if section["fill_holes"] and has_holes else [False],
    ]


def _amount(candidate: Candidate) -> tuple[int, float]:
    used = settings_in_use(candidate)
    volumes = [*used.get("remove_components", {}).values(), used.get("min_enhancing_mm3", 0)]
    return sum(map(bool, volumes)) + used.get("fill_holes", False), sum(volumes)
