"""The task that the configuration names, and the parts of the configuration that depend on it."""

import json
from collections.abc import Mapping
from typing import Any

from tumorseg.configuration.label_maps import mapped, score_map_mistakes, with_whole_maps
from tumorseg.configuration.mistakes import mistakes
from tumorseg.configuration.repeated import repeated_keys
from tumorseg.errors import UserError
from tumorseg.network.task_check import task_problems
from tumorseg.task import MAPPED, Task, read_content, task_from, task_path


def checked_task(cohort: Mapping[str, Any], schema: Mapping[str, Any]) -> Task:
    """The task of `cohort.task`, whose file follows the schema, with `cohort.label_map` if there is one.

    Raises UserError where there is no such task, and with one sentence for each mistake in its file.
    """
    path = task_path(cohort["task"])
    content = read_content(path)
    repeated = repeated_keys(path.read_text(encoding="utf-8"))
    if wrong := [*repeated, *mistakes(_with_text_keys(content), dict(schema))]:
        raise UserError("\n".join(f"cohort.task: {path}: {sentence}" for sentence in wrong))
    task = task_from(content, path.stem, str(path))
    if wrong := task_problems(json.loads(task.to_json())):  # what a model could not store
        raise UserError("\n".join(f"cohort.task: {path}: {sentence}" for sentence in wrong))
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
    smallest = configuration["prediction"]["smallest_enhancing"]
    if smallest and task.enhancing_region is None:
        sentences.append(
            f"prediction.smallest_enhancing: {smallest} is not allowed; the task {task.name} has no region of "
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


def _with_text_keys(content: Any) -> Any:
    """JSON has keys of text only; YAML reads 1: as a number."""
    if isinstance(content, dict):
        return {str(key): _with_text_keys(value) for key, value in content.items()}
    return [_with_text_keys(value) for value in content] if isinstance(content, list) else content


def _or(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
