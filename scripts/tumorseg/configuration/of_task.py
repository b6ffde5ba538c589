"""The task that the configuration names, and the parts of the configuration that depend on it."""

from collections.abc import Mapping
from typing import Any

from tumorseg.configuration.label_maps import mapped, score_map_mistakes, with_whole_maps
from tumorseg.configuration.task_file import task_of_file
from tumorseg.task import MAPPED, Task, task_path


def checked_task(cohort: Mapping[str, Any], schema: Mapping[str, Any]) -> Task:
    """The task of `cohort.task`, whose file follows the schema, with `cohort.label_map` if there is one.

    Raises UserError where there is no such task, and with one sentence for each mistake in its file.
    """
    task = task_of_file(task_path(cohort["task"]), schema)
    return task if cohort["label_map"] is None else mapped(task, cohort["label_map"], "cohort.label_map")


def completed(configuration: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """The configuration with the task's own values where the user has left them out.

    Keys of label maps become whole numbers: both ways of writing them plan the same jobs.
    """
    colours = {f"label_{label.value}": label.colour for label in task.labels}
    regions = dict.fromkeys(task.region_labels, 0)
    model, prediction, figures = (configuration[section] for section in ("model", "prediction", "figures"))
    return {
        **with_whole_maps(configuration),
        "model": {**model, "classes": model["classes"] or task.classes},
        "prediction": {**prediction, "remove_components": {**regions, **prediction["remove_components"]}},
        "figures": {**figures, "colours": {**colours, **figures["colours"]}},
    }


def task_contradictions(configuration: Mapping[str, Any], task: Task) -> list[str]:
    """One sentence for each key that does not fit the task."""
    sentences = []
    labels, classes = configuration["cohort"]["labels"], configuration["model"]["classes"]
    known = ["auto", "mixed", *(name for name in task.conventions if name != MAPPED)]
    if task.label_map is not None and labels != "auto":
        sentences.append(f"cohort.labels: {labels} and cohort.label_map both say how masks are written; leave one out")
    elif labels not in known:
        sentences.append(f"cohort.labels: {labels} is not allowed; with the task {task.name} it is {_or(known)}")
    smallest = configuration["prediction"]["min_enhancing_mm3"]
    if smallest and task.enhancing_region is None:
        sentences.append(
            f"prediction.min_enhancing_mm3: {smallest} is not allowed; the task {task.name} has no region of "
            "enhancing tumour: set it to 0"
        )
    if classes not in (None, task.classes):
        sentences.append(
            f"model.classes: {classes} is not allowed; the task {task.name} has {task.classes} classes: leave it out"
        )
    for section, key, names in (
        ("prediction", "remove_components", list(task.region_labels)),
        ("figures", "colours", list(task.label_structures)),
    ):
        sentences += [
            f"{section}.{key}.{name}: the task {task.name} has no {name}; it has {', '.join(names)}"
            for name in configuration[section][key]
            if name not in names
        ]
    return [*sentences, *score_map_mistakes(configuration["score"], task)]


def _or(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
