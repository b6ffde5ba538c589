"""In what two tasks differ, for messages about what was made for another task."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tumorseg.errors import Message, UserError
from tumorseg.task.definition import Task
from tumorseg.task.files import built_in

_READING = "conventions"
"""The one fact that says nothing of a network's input and output: how masks on disk are read."""


def same_network(one: Task, other: Task) -> bool:
    """Whether a network of one task has the input and output that the other asks for."""
    facts, others = one.facts(), other.facts()
    return all(facts[key] == others[key] for key in facts if key != _READING)


def require_task(path: Path, of_model: Task, task: Task) -> None:
    """Raise UserError where the model at `path` is not of the task that `cohort.task` names."""
    if same_network(of_model, task):
        return
    known = of_model.name in built_in()
    named: Message = of_model.name if known else "the file of the model's task"
    raise UserError(
        f"{path}: this model is of {other_task(of_model.name, of_model.facts(), task)}: set cohort.task to {named}, or "
        f"give a model of the task {task.name}"
    )


def other_task(name: str, facts: Mapping[str, Any], task: Task) -> Message:
    """Return both names and what differs: `the task A, not B (its labels are 1, 2, 3 instead of 1, 2, 4)`.

    Args:
        name: of the task that something was made for.
        facts: of the same task, as `Task.facts` returns them.
        task: the one that is asked for.
    """
    wanted = task.facts()
    differing = [key for key in wanted if facts.get(key) != wanted[key]]
    key = differing[0] if differing else _READING
    found, expected = _words(key, facts.get(key)), _words(key, wanted[key])
    what: Message = f"its {key} are {found} instead of {expected}" if found != expected else f"its {key} are others"
    return f"the task {name}, not {task.name} ({what})"


def _words(key: str, value: Any) -> Message:
    if key == "regions" and isinstance(value, Mapping):
        return "; ".join(f"{name} {', '.join(map(str, region['labels']))}" for name, region in value.items())
    if isinstance(value, Mapping | list):
        return ", ".join(map(str, value))
    return str(value)
