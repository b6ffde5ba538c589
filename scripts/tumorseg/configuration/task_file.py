"""Reading a task's file strictly: what it has, what it lacks and how its parts fit together."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tumorseg.configuration.mistakes import mistakes
from tumorseg.configuration.repeated import repeated_keys
from tumorseg.errors import UserError
from tumorseg.network.task_check import task_problems
from tumorseg.task import DEFAULT, Task, read_content, task_from, task_path

_SCHEMA: Final = Path(__file__).parents[1] / "schemas/task.schema.yaml"
"""In a folder that is a link to `workflow/schemas`."""


def load_checked_task(name: str = DEFAULT) -> Task:
    """Return a built-in task, or the task in a YAML file.

    Args:
        name: of a built-in task, or the path of a file that follows `workflow/schemas/task.schema.yaml`.

    Raises:
        UserError: there is no such task, or its file has mistakes; the message has one sentence for each.

    Example:
        >>> load_checked_task("brats-glioma").region_labels["TC"]
        (1, 4)
    """
    try:
        return task_of_file(task_path(name), yaml.safe_load(_SCHEMA.read_text(encoding="utf-8")))
    except UserError as error:  # whose sentences start with the key of the workflow's configuration
        raise UserError("\n".join(line.removeprefix("cohort.task: ") for line in f"{error}".splitlines())) from None


def task_of_file(path: Path, schema: Mapping[str, Any]) -> Task:
    """Return the task in a YAML file.

    Args:
        path: of the file.
        schema: what the file may have, as JSON schema.

    Raises:
        UserError: the file has mistakes; the message has one sentence for each.
    """
    content = read_content(path)
    repeated = repeated_keys(path.read_text(encoding="utf-8"))
    if wrong := [*repeated, *mistakes(with_text_keys(content), dict(schema))]:
        raise UserError("\n".join(f"cohort.task: {path}: {sentence}" for sentence in wrong))
    task = task_from(content, path.stem, str(path))
    if wrong := task_problems(json.loads(task.to_json())):  # what a model could not store
        raise UserError("\n".join(f"cohort.task: {path}: {sentence}" for sentence in wrong))
    return task


def with_text_keys(content: Any) -> Any:
    """Return the content of a YAML file with keys of text only, as JSON has them: YAML reads 1: as a number."""
    if isinstance(content, dict):
        return {str(key): with_text_keys(value) for key, value in content.items()}
    return [with_text_keys(value) for value in content] if isinstance(content, list) else content
