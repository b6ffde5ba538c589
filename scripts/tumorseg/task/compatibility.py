"""Compare two tasks, for messages about results that were made for another task."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tumorseg.errors import Message, UserError
from tumorseg.task.definition import Task
from tumorseg.task.loading import built_in_tasks

_MASK_CONVENTIONS = "conventions"
"""The one fact that says nothing of a network's input and output: how masks on disk are read."""


def is_network_compatible(model_task: Task, task: Task) -> bool:
    """Whether a network of one task has the input and output that the other asks for."""
    facts, others = model_task.facts(), task.facts()
    return all(facts[key] == others[key] for key in facts if key != _MASK_CONVENTIONS)


def require_task(path: Path, model_task: Task, task: Task) -> None:
    """Raise UserError where the model at `path` is not of the task that `cohort.task` names."""
    if is_network_compatible(model_task, task):
        return
    known = model_task.name in built_in_tasks()
    named: Message = model_task.name if known else "the file of the model's task"
    raise UserError(
        f"{path}: this model is of {describe_other_task(model_task.name, model_task.facts(), task)}: set cohort.task to {named}, or "
        f"give a model of the task {task.name}"
    )


def describe_other_task(name: str, facts: Mapping[str, Any], task: Task) -> Message:
    """Return both names and what differs: `the task A, not B (its labels are 1, 2, 3 instead of 1, 2, 4)`.

    Args:
        name: of the task that something was made for.
        facts: of the same task, as `Task.facts` returns them.
        task: the one that is asked for.
    """
    wanted = task.facts()
    differing = [key for key in wanted if facts.get(key) != wanted[key]]
    key = differing[0] if differing else _MASK_CONVENTIONS
    found, expected = _format_fact(key, facts.get(key)), _format_fact(key, wanted[key])
    what: Message = f"its {key} are {found} instead of {expected}" if found != expected else f"its {key} are others"
    return f"the task {name}, not {task.name} ({what})"


def _format_fact(key: str, value: Any) -> Message:
    if key == "regions" and isinstance(value, Mapping):
        return "; ".join(f"{name} {', '.join(map(str, region['labels']))}" for name, region in value.items())
    if isinstance(value, Mapping | list):
        return ", ".join(map(str, value))
    return str(value)
