"""The task that the configuration names, and the parts of the configuration that depend on it."""

import re
from collections.abc import Mapping
from typing import Any, Final

from tumorseg.configuration.mistakes import mistakes
from tumorseg.errors import UserError
from tumorseg.task import MAPPED, Task, read_content, task_from, task_path

LARGEST_VALUE: Final = 255
"""The largest value that a mask may have on disk."""


def checked_task(cohort: Mapping[str, Any], schema: Mapping[str, Any]) -> Task:
    """The task of `cohort.task`, whose file follows the schema, with `cohort.label_map` if there is one.

    Raises UserError where there is no such task, and with one sentence for each mistake in its file.
    """
    path = task_path(cohort["task"])
    content = read_content(path)
    if wrong := mistakes(_with_text_keys(content), dict(schema)):
        raise UserError("\n".join(f"cohort.task: {path}: {sentence}" for sentence in wrong))
    task = task_from(content, path.stem, str(path))
    if cohort["label_map"] is None:
        return task
    return task.with_label_map(_checked_map(cohort["label_map"], "cohort.label_map", task))


def score_label_maps(score: Mapping[str, Any], task: Task) -> list[dict[int, int] | None]:
    """Return the label map of each folder of predictions, as `score.label_map` says; None without one.

    Raises UserError where a map does not fit the task, and where a list has not one entry for each folder.
    """
    given, folders = score["label_map"], score["predictions"] or []
    count = 1 if isinstance(folders, str) else len(folders)
    if not isinstance(given, list):
        maps = [given] * count
    elif len(given) == count:
        maps = given
    else:
        raise UserError(
            f"score.label_map: the list has {len(given)} entries and there are {count} folders in score.predictions; "
            "give one entry for each, null for a folder without a label map"
        )
    return [None if one is None else _checked_map(one, "score.label_map", task) for one in maps]


def _checked_map(given: Mapping[Any, int], key: str, task: Task) -> dict[int, int]:
    """A label map that fits the task. Raises UserError where it does not."""
    for value in given:
        if not re.fullmatch(r"\d{1,3}", str(value)) or int(value) > LARGEST_VALUE:
            raise UserError(
                f"{key}: {value} is not a value of masks: these are whole numbers from 0 to {LARGEST_VALUE}"
            )
    label_map = {int(value): label for value, label in given.items()}
    try:
        task.with_label_map(label_map)
    except UserError as error:
        raise UserError(str(error).replace("label_map", key, 1)) from None
    return label_map


def completed(configuration: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """The configuration with the task's own values where the user has left them out."""
    colours = {f"label_{label.value}": label.colour for label in task.labels}
    regions = dict.fromkeys(task.region_labels, 0)
    model, prediction, figures = (configuration[section] for section in ("model", "prediction", "figures"))
    return {
        **configuration,
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
    if classes not in (None, task.classes):
        sentences.append(
            f"model.classes: {classes} is not allowed; the task {task.name} has {task.classes} classes: leave it out"
        )
    try:
        score_label_maps(configuration["score"], task)
    except UserError as error:
        sentences.append(f"{error}")
    for section, key, names in (
        ("prediction", "remove_components", list(task.region_labels)),
        ("figures", "colours", list(task.label_structures)),
    ):
        sentences += [
            f"{section}.{key}.{name}: the task {task.name} has no {name}; it has {', '.join(names)}"
            for name in configuration[section][key]
            if name not in names
        ]
    return sentences


def _with_text_keys(content: Any) -> Any:
    """JSON has keys of text only; YAML reads 1: as a number."""
    if isinstance(content, dict):
        return {str(key): _with_text_keys(value) for key, value in content.items()}
    return [_with_text_keys(value) for value in content] if isinstance(content, list) else content


def _or(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
