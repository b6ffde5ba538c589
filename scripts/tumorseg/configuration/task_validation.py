"""Load and validate the task of the configuration, and fill in the configuration's defaults from it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tumorseg.configuration.label_maps import apply_label_map, parse_label_maps, score_label_map_errors
from tumorseg.configuration.schema_validation import duplicate_keys, schema_errors
from tumorseg.errors import UserError
from tumorseg.networks.card_validation import task_problems
from tumorseg.networks.subset_scores import MAX_SUBSET_CHANNELS
from tumorseg.task import DEFAULT_TASK, LABEL_MAP_CONVENTION, Task, parse_task, read_task_file, task_path

_SCHEMA: Final = Path(__file__).parents[1] / "schemas/task.schema.yaml"
"""`schemas` is a link to `workflow/schemas`."""


def load_checked_task(name: str = DEFAULT_TASK) -> Task:
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
        return load_task_file(task_path(name), yaml.safe_load(_SCHEMA.read_text(encoding="utf-8")))
    except UserError as error:  # its sentences start with a key of the workflow's configuration
        raise UserError("\n".join(line.removeprefix("cohort.task: ") for line in f"{error}".splitlines())) from None


def load_task_file(path: Path, schema: Mapping[str, Any]) -> Task:
    """Return the task in a YAML file.

    Args:
        path: of the file.
        schema: JSON schema of task files.

    Raises:
        UserError: the file has mistakes; the message has one sentence for each.
    """
    content = read_task_file(path)
    repeated = duplicate_keys(path.read_text(encoding="utf-8"))
    if wrong := [*repeated, *schema_errors(stringify_keys(content), dict(schema))]:
        raise UserError("\n".join(f"cohort.task: {path}: {sentence}" for sentence in wrong))
    task = parse_task(content, path.stem, str(path))
    if wrong := task_problems(json.loads(task.to_json())):  # a model stores the task and checks it when it is read
        raise UserError("\n".join(f"cohort.task: {path}: {sentence}" for sentence in wrong))
    return task


def stringify_keys(content: Any) -> Any:
    """Return the content of a YAML file with all keys as text, as in JSON: YAML reads the key `1:` as a number."""
    if isinstance(content, dict):
        return {str(key): stringify_keys(value) for key, value in content.items()}
    return [stringify_keys(value) for value in content] if isinstance(content, list) else content


def load_configured_task(cohort: Mapping[str, Any], schema: Mapping[str, Any]) -> Task:
    """Return the task of `cohort.task` with `cohort.label_map`, if that is set.

    Args:
        cohort: the section of the configuration.
        schema: JSON schema of task files.

    Returns:
        The task.

    Raises:
        UserError: there is no such task, its file has mistakes, or the label map does not fit it.
    """
    task = load_task_file(task_path(cohort["task"]), schema)
    return task if cohort["label_map"] is None else apply_label_map(task, cohort["label_map"], "cohort.label_map")


def fill_task_defaults(configuration: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """Return the configuration with the task's values for classes, colours and regions that the user has not set.

    Keys of label maps become whole numbers, so that text and numbers as keys plan the same jobs.
    """
    colours = {f"label_{label.value}": label.colour for label in task.labels}
    regions = dict.fromkeys(task.region_labels, 0)
    model, prediction, figures = (configuration[section] for section in ("model", "prediction", "figures"))
    return {
        **parse_label_maps(configuration),
        "model": {**model, "classes": model["classes"] or task.classes},
        "prediction": {**prediction, "remove_components": {**regions, **prediction["remove_components"]}},
        "figures": {**figures, "colours": {**colours, **figures["colours"]}},
    }


def task_contradiction_errors(configuration: Mapping[str, Any], task: Task) -> list[str]:
    """Return a sentence for each key that does not fit the task."""
    sentences = []
    labels, classes = configuration["cohort"]["labels"], configuration["model"]["classes"]
    allowed = ["auto", "mixed", *(name for name in task.conventions if name != LABEL_MAP_CONVENTION)]
    if task.label_map is not None and labels != "auto":
        sentences.append(f"cohort.labels: {labels} and cohort.label_map both define the labels of masks; leave one out")
    elif labels not in allowed:
        sentences.append(f"cohort.labels: {labels} is not allowed; with the task {task.name} it is {_join_or(allowed)}")
    smallest = configuration["prediction"]["min_enhancing_mm3"]
    if smallest and task.enhancing_region is None:
        sentences.append(
            f"prediction.min_enhancing_mm3: {smallest} is not allowed; the task {task.name} has no region of "
            "enhancing tumour: set it to 0"
        )
    channels = len(task.channels)
    if configuration["evaluation"]["leave_out_modalities"] and channels > MAX_SUBSET_CHANNELS:
        sentences.append(
            f"evaluation.leave_out_modalities: true is not allowed; the task {task.name} has {channels} channels, so "
            f"each case would be segmented {2**channels - 1:,} times (at most {MAX_SUBSET_CHANNELS} channels): set it "
            "to false"
        )
    if classes not in (None, task.classes):
        sentences.append(
            f"model.classes: {classes} is not allowed; the task {task.name} has {task.classes} classes: leave it out"
        )
    for section, key, names in (
        ("prediction", "remove_components", list(task.region_labels)),
        ("training", "cross_entropy_weights", list(task.label_structures)),
        ("figures", "colours", list(task.label_structures)),
    ):
        sentences += [
            f"{section}.{key}.{name}: the task {task.name} has no {name}; it has {', '.join(names)}"
            for name in configuration[section][key] or ()
            if name not in names
        ]
    sentences += [
        f"segment.mask_channels: the task {task.name} has no channel {name}; it has {', '.join(task.channel_names)}"
        for name in configuration["segment"]["mask_channels"]
        if name not in task.channel_names
    ]
    return [*sentences, *score_label_map_errors(configuration["score"], task)]


def _join_or(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
