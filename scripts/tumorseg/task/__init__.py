"""What a data set means: its channels, labels, regions and names, as one file below `workflow/tasks` says.

Nothing else in the code knows a channel, a label or a region by name. `Task` is what every function is given.
"""

from tumorseg.task.definition import MAPPED, OWN_VALUES, Task
from tumorseg.task.files import (
    DEFAULT,
    FOLDER,
    add_task_option,
    built_in,
    known_signs,
    known_tasks,
    load_task,
    read_content,
    task_argument,
    task_from,
    task_path,
    validation_facts,
)
from tumorseg.task.parts import Channel, Label, Region

__all__ = [
    "DEFAULT",
    "FOLDER",
    "MAPPED",
    "OWN_VALUES",
    "Channel",
    "Label",
    "Region",
    "Task",
    "add_task_option",
    "built_in",
    "known_signs",
    "known_tasks",
    "load_task",
    "read_content",
    "task_argument",
    "task_from",
    "task_path",
    "validation_facts",
]
