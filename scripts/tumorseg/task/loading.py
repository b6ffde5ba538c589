"""Load tasks: a built-in one, one from a user's YAML file, or the one that a command line names."""

import argparse
import difflib
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tumorseg.errors import UserError
from tumorseg.task.checks import first_contradiction
from tumorseg.task.definition import DEFAULT_CONVENTION, Channel, Label, Region, Task

TASKS_FOLDER: Final = Path(__file__).parents[1] / "tasks"
"""The built-in tasks; a link to `workflow/tasks`."""
DEFAULT_TASK: Final = "brats-glioma"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C takes a tenth of the time, where PyYAML was built with it."""
_MAX_FILE_BYTES: Final = 1_000_000
"""Bytes; the built-in ones have 2,000."""


def built_in_tasks() -> list[str]:
    """Return the names of the built-in tasks.

    Example:
        >>> "brats-glioma" in built_in_tasks()
        True
    """
    return sorted(path.stem for path in TASKS_FOLDER.glob("*.yaml"))


@cache
def load_built_in_tasks() -> tuple[Task, ...]:
    """All built-in tasks."""
    return tuple(load_task(name) for name in built_in_tasks())


@cache
def task_signs_digest() -> str:
    """A digest of what cases are compared with, in order to find those of another task: see `cohort.other_task`."""
    signs = [
        [
            task.name,
            task.case_names,
            task.grids,
            {name: sorted(task.meanings(name).items()) for name in task.conventions},
        ]
        for task in load_built_in_tasks()
    ]
    return hashlib.sha256(json.dumps(signs, sort_keys=True).encode()).hexdigest()


def validation_facts(task: Task) -> str:
    """Return what the verdict on a case depends on, as one line of JSON with sorted keys.

    That is the task without its colours and titles, and what shows that a case belongs to another task (`known_signs`).
    """
    content = json.loads(task.to_json())
    for part in (content, *content["channels"], *content["labels"], *content["regions"]):
        part.pop("colour", None)
        del part["title"]
    return json.dumps({"task": content, "others": task_signs_digest()}, sort_keys=True)


def task_path(name: str) -> Path:
    """The file of a task. name: a built-in one, or a path. Raises UserError where there is no such file."""
    own = TASKS_FOLDER / f"{name}.yaml"
    if name in built_in_tasks():
        return own
    path = Path(name).expanduser()
    if path.suffix.lower() not in (".yaml", ".yml") or not path.is_file():
        close = difflib.get_close_matches(name.lower(), built_in_tasks(), n=1)
        hint = f"did you mean {close[0]}? It" if close else "it"
        raise UserError(
            f"cohort.task: there is no task {name}; {hint} has to be one of {', '.join(built_in_tasks())}, or the path of a "
            "YAML file such as those in workflow/tasks"
        )
    return path


def load_task(name: str = DEFAULT_TASK) -> Task:
    """A built-in task, or the task in a YAML file.

    Raises UserError where there is no such task, where the file cannot be read, and where it contradicts itself.

    Example:
        >>> load_task("brats-glioma").region_labels["TC"]
        (1, 4)
    """
    path = task_path(name)
    return parse_task(read_task_file(path), path.stem, str(path))


def read_task_file(path: Path) -> dict[str, Any]:
    """The keys of a task's file. Raises UserError where it cannot be read or has none."""
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise UserError(f"cohort.task: {path} is too large for the file of a task; correct the path")
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - both loaders are safe ones
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        words = " ".join(str(error).split())
        raise UserError(f"cohort.task: {path} cannot be read as YAML ({words}); correct it") from None
    if not isinstance(content, dict):
        raise UserError(f"cohort.task: {path} has no keys; copy one of the files in workflow/tasks and edit it")
    return content


def parse_task(content: Mapping[str, Any], name: str, source: str) -> Task:
    """The task with the content of a file that follows `workflow/schemas/task.schema.yaml`. place: for messages.

    Raises UserError where parts of it do not fit together.
    """
    channels = tuple(
        Channel(str(key), **{**given, "files": tuple(end.lower() for end in given.get("files", ()))})
        for key, given in content["channels"].items()
    )
    labels = tuple(Label(int(value), **given) for value, given in content["labels"].items())
    regions = tuple(
        Region(key, **{**given, "labels": tuple(given["labels"])}) for key, given in content["regions"].items()
    )
    conventions = content.get("conventions") or {DEFAULT_CONVENTION: {}}
    task = Task(
        name=name,
        title=content["title"],
        channels=channels,
        mask_files=tuple(end.lower() for end in content.get("mask", {}).get("files", ())),
        classes=content["classes"],
        labels=labels,
        regions=regions,
        conventions={str(key): {int(k): v for k, v in (value or {}).items()} for key, value in conventions.items()},
        case_name=content["case_name"],
        first_time_point=content.get("first_time_point", 0),
        case_names=content.get("case_names"),
        grids=tuple((x, y, z) for x, y, z in content.get("grids", ())),
        patient=content.get("patient"),
    )
    if wrong := first_contradiction(task):
        raise UserError(f"cohort.task: {source}: {wrong}; correct it")
    return task


def parse_task_argument(text: str) -> Task:
    """The task that a command line names: its JSON, the name of a built-in one, or the path of a YAML file."""
    return Task.from_json(text) if text.lstrip().startswith("{") else load_task(text)


def add_task_option(parser: argparse.ArgumentParser) -> None:
    """Add the option `--task` to a command line."""
    parser.add_argument(
        "--task",
        type=parse_task_argument,
        required=True,
        help="the task, as JSON, its name in workflow/tasks, or its file",
    )
