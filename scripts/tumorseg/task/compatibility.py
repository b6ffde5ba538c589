"""Compare tasks, to refuse models and results of another task."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tumorseg.errors import Message, UserError
from tumorseg.task.definition import Task
from tumorseg.task.loading import built_in_tasks

_MASK_CONVENTIONS = "conventions"
"""How masks on disk are read, which does not affect the input and output of a network."""


def is_network_compatible(model_task: Task, task: Task) -> bool:
    """Return whether networks of both tasks have the same input and output.

    Which channels are optional does not matter: a model records the channels that it was trained with.
    """
    model_facts, facts = (each.with_optional_channels().facts() for each in (model_task, task))
    return all(model_facts[key] == facts[key] for key in model_facts if key != _MASK_CONVENTIONS)


def require_task(path: Path, model_task: Task, task: Task) -> None:
    """Check that a model can be used for a task.

    Args:
        path: file of the model, for the message.
        model_task: task of the model.
        task: task of `cohort.task`.

    Raises:
        UserError: the tasks have different channels, labels or regions.
    """
    if is_network_compatible(model_task, task):
        return
    is_built_in = model_task.name in built_in_tasks()
    setting: Message = model_task.name if is_built_in else "the file of the model's task"
    difference = describe_other_task(model_task.name, model_task.facts(), task)
    raise UserError(
        f"{path}: this model is of {difference}: set cohort.task to {setting}, or use a model of the task {task.name}"
    )


def describe_other_task(name: str, facts: Mapping[str, Any], task: Task) -> Message:
    """Return both names and a difference, such as `the task A, not B (its labels are 1, 2, 3 instead of 1, 2, 4)`.

    Args:
        name: name of the task that something was made for.
        facts: facts of that task, as `Task.facts` returns them.
        task: the expected task.
    """
    expected_facts = task.facts()
    differing = [key for key in expected_facts if facts.get(key) != expected_facts[key]] or [_MASK_CONVENTIONS]
    texts = {key: (_format_fact(key, facts.get(key)), _format_fact(key, expected_facts[key])) for key in differing}
    # A difference that the message can show, if there is one.
    key = next((key for key, (found, expected) in texts.items() if found != expected), differing[0])
    found, expected = texts[key]
    difference: Message = f"its {key} are {found} instead of {expected}" if found != expected else f"its {key} differ"
    return f"the task {name}, not {task.name} ({difference})"


def _format_fact(key: str, value: Any) -> Message:
    if key == "regions" and isinstance(value, Mapping):
        return "; ".join(f"{name} {', '.join(map(str, region['labels']))}" for name, region in value.items())
    if isinstance(value, Mapping | list):
        return ", ".join(map(str, value))
    return str(value)
