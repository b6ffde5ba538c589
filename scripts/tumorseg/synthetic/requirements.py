"""Which tasks and voxels synthetic cases can have. Planning imports this module, so it imports little."""

import json
from collections.abc import Mapping
from typing import Any, Final

from tumorseg.errors import UserError
from tumorseg.task import Task

CHANNELS: Final = ("t1", "t1ce", "t2", "flair")
"""The channels that can be simulated."""
_REQUIRED: Final = ("necrosis", "oedema", "enhancing")
_SPACING_LIMITS_MM: Final = (1.0, 8.0)


def require_simulated(task: Task) -> None:
    """Check that synthetic cases can have all channels and labels of a task.

    Args:
        task: the task to check.

    Raises:
        UserError: the task has another channel or label, or lacks a label.
    """
    if other := [name for name in task.channel_names if name not in CHANNELS]:
        raise UserError(
            f"task {task.name}: synthetic cases cannot have the channel {other[0]}, only {', '.join(CHANNELS)}; train "
            "on real cases alone"
        )
    meanings = [label.meaning for label in task.labels]
    known = [*_REQUIRED, "cavity"]
    if wrong := [label for label in task.labels if label.meaning not in known]:
        raise UserError(
            f"task {task.name}: label {wrong[0].value} ({wrong[0].title}) means {wrong[0].meaning}; synthetic cases "
            f"can only have labels that mean {', '.join(known)}; train on real cases alone"
        )
    if (missing := [meaning for meaning in _REQUIRED if meaning not in meanings]) or len(set(meanings)) < len(meanings):
        problem = f"no label means {missing[0]}" if missing else "two labels have the same meaning"
        raise UserError(
            f"task {task.name}: {problem}; synthetic cases need one label for each of {', '.join(_REQUIRED)}; train on "
            "real cases alone"
        )


def cube_edge_mm(settings: Mapping[str, Any]) -> float:
    """Return the edge of the voxels of synthetic cases.

    Args:
        settings: the section `normalisation` of the configuration.

    Raises:
        UserError: the voxels are no cubes, or too small or too large to be simulated.
    """
    given = settings.get("spacing_mm")
    edges: list[float] = list(given) if isinstance(given, list | tuple) else [] if given is None else [given]
    low, high = _SPACING_LIMITS_MM
    if len(set(edges)) != 1 or not low <= edges[0] <= high:
        raise UserError(
            f"normalisation.spacing_mm is {json.dumps(given)}: synthetic cases need one number from {low:g} to "
            f"{high:g}, such as 2"
        )
    return float(edges[0])
