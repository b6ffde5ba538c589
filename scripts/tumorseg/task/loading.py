"""Load built-in tasks, tasks from YAML files, and the task that a command line names."""

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
"""The built-in tasks; a link to `workflow/tasks`, so that an installed package contains them."""
DEFAULT_TASK: Final = "brats-glioma"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C loader needs a tenth of the time, but not every build of PyYAML has it."""
_MAX_FILE_BYTES: Final = 1_000_000
"""Maximum size of a task file. The built-in ones have 2,000 bytes."""


def built_in_tasks() -> list[str]:
    """Return the names of the built-in tasks.

    Example:
        >>> "brats-glioma" in built_in_tasks()
        True
    """
    return sorted(path.stem for path in TASKS_FOLDER.glob("*.yaml"))


@cache
def load_built_in_tasks() -> tuple[Task, ...]:
    """Return all built-in tasks."""
    return tuple(load_task(name) for name in built_in_tasks())


@cache
def task_signs_digest() -> str:
    """Return a digest of the signs by which cases of another task are recognised, see `cohort.other_task`."""
    signs = [
        [
            task.name,
            task.case_names,
            task.grids,
            {name: sorted(task.meanings_by_value(name).items()) for name in task.conventions},
        ]
        for task in load_built_in_tasks()
    ]
    return hashlib.sha256(json.dumps(signs, sort_keys=True).encode()).hexdigest()


def validation_facts(task: Task) -> str:
    """Return the parts of the tasks that the validation of a case depends on, as one line of JSON with sorted keys.

    These are the task without its colours and titles, and the signs of other tasks (`task_signs_digest`).
    """
    content = json.loads(task.to_json())
    for part in (content, *content["channels"], *content["labels"], *content["regions"]):
        part.pop("colour", None)
        del part["title"]
    return json.dumps({"task": content, "others": task_signs_digest()}, sort_keys=True)


def preparation_facts(task: Task) -> str:
    """Return the parts of a task that the preparation of patients depends on, as one line of JSON with sorted keys.

    These are the names, titles and file endings of the channels, by which images are recognised and the reference image
    is chosen, and the endings of masks, which are left out.
    """
    channels = [[channel.name, channel.title, channel.files] for channel in task.channels]
    return json.dumps({"channels": channels, "mask_files": task.mask_files}, sort_keys=True)


def task_path(name: str) -> Path:
    """Return the file of a task.

    Args:
        name: name of a built-in task, or path of a YAML file.

    Raises:
        UserError: there is no such task or file.
    """
    built_in = TASKS_FOLDER / f"{name}.yaml"
    if name in built_in_tasks():
        return built_in
    path = Path(name).expanduser()
    if path.suffix.lower() not in (".yaml", ".yml") or not path.is_file():
        close = difflib.get_close_matches(name.lower(), built_in_tasks(), n=1)
        hint = f"did you mean {close[0]}? It" if close else "it"
        raise UserError(
            f"cohort.task: there is no task {name}; {hint} has to be one of {', '.join(built_in_tasks())}, or the path "
            "of a YAML file such as those in workflow/tasks"
        )
    return path


def load_task(name: str = DEFAULT_TASK) -> Task:
    """Return a built-in task, or the task in a YAML file.

    Args:
        name: name of a built-in task, or path of a YAML file.

    Returns:
        The task, without a label map.

    Raises:
        UserError: there is no such task, or its file is invalid.

    Example:
        >>> load_task("brats-glioma").region_labels["TC"]
        (1, 4)
    """
    path = task_path(name)
    return parse_task(read_task_file(path), path.stem, str(path))


def read_task_file(path: Path) -> dict[str, Any]:
    """Return the content of a task file.

    Raises:
        UserError: the file is too large, is not YAML, or has no keys.
    """
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise UserError(f"cohort.task: {path} is too large for a task file; correct the path")
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - both loaders are safe ones
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"cohort.task: {path} cannot be read as YAML ({reason}); correct it") from None
    if not isinstance(content, dict):
        raise UserError(f"cohort.task: {path} has no keys; copy one of the files in workflow/tasks and edit it")
    return content


def parse_task(content: Mapping[str, Any], name: str, source: str) -> Task:
    """Return the task that the content of a file defines.

    Args:
        content: content of a file that follows `workflow/schemas/task.schema.yaml`.
        name: name of the task.
        source: path of the file, for messages.

    Raises:
        UserError: parts of the task contradict each other.
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
        whole_head=content.get("whole_head", False),
    )
    if contradiction := first_contradiction(task):
        raise UserError(f"cohort.task: {source}: {contradiction}; correct it")
    return task


def parse_task_argument(text: str) -> Task:
    """Return the task of a command-line argument: JSON, the name of a built-in task, or the path of a YAML file."""
    return Task.from_json(text) if text.lstrip().startswith("{") else load_task(text)


def add_task_option(parser: argparse.ArgumentParser) -> None:
    """Add the option `--task` to a command line."""
    parser.add_argument(
        "--task",
        type=parse_task_argument,
        required=True,
        help="the task: JSON, the name of a built-in task, or the path of a YAML file",
    )
