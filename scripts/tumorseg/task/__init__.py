"""Tasks: the channels, labels, regions and file names of a data set, defined by one YAML file.

Functions receive a `Task`. No other code knows a channel, a label or a region by name.
"""

from tumorseg.task.definition import DEFAULT_CONVENTION, LABEL_MAP_CONVENTION, Channel, Label, Region, Task
from tumorseg.task.loading import (
    DEFAULT_TASK,
    TASKS_FOLDER,
    add_task_option,
    built_in_tasks,
    load_built_in_tasks,
    load_task,
    parse_task,
    parse_task_argument,
    preparation_facts,
    read_task_file,
    task_path,
    task_signs_digest,
    validation_facts,
)

__all__ = [
    "DEFAULT_CONVENTION",
    "DEFAULT_TASK",
    "LABEL_MAP_CONVENTION",
    "TASKS_FOLDER",
    "Channel",
    "Label",
    "Region",
    "Task",
    "add_task_option",
    "built_in_tasks",
    "load_built_in_tasks",
    "load_task",
    "parse_task",
    "parse_task_argument",
    "preparation_facts",
    "read_task_file",
    "task_path",
    "task_signs_digest",
    "validation_facts",
]
