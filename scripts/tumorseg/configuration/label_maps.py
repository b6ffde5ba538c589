"""Parse and apply label maps, which assign a label to each value of a mask."""

import re
from collections.abc import Mapping
from typing import Any, Final

from tumorseg.errors import UserError
from tumorseg.task import Task

MAX_MASK_VALUE: Final = 255
"""The largest value that a mask may have on disk."""


def parse_label_map(label_map: Mapping[Any, int], key: str) -> dict[int, int]:
    """Return a label map with whole numbers as keys: YAML reads keys as numbers, Snakemake's `--config` as text.

    Args:
        label_map: label by mask value.
        key: of the configuration, for messages.

    Returns:
        Label by mask value.

    Raises:
        UserError: a key is not a possible value of a mask, or occurs twice.
    """
    result: dict[int, int] = {}
    for name, label in label_map.items():
        is_valid = type(name) in (int, str) and re.fullmatch(r"0|[1-9][0-9]{0,2}", str(name))
        if not is_valid or int(name) > MAX_MASK_VALUE:
            shown = str(name).lower() if isinstance(name, bool) else name
            raise UserError(
                f"{key}: {shown} is not a mask value, which is a whole number from 0 to {MAX_MASK_VALUE}; write a mask "
                "value before each colon and a label of the task after it, as in {1: 2, 2: 1, 3: 4}"
            )
        if int(name) in result:
            raise UserError(f"{key}: the value {name} occurs twice; leave one out")
        result[int(name)] = label
    return result


def apply_label_map(task: Task, label_map: Mapping[Any, int], key: str) -> Task:
    """Return the task with a label map for its masks.

    Args:
        task: task without a label map.
        label_map: label by mask value.
        key: of the configuration, for messages.

    Raises:
        UserError: the map does not fit the task.
    """
    parsed = parse_label_map(label_map, key)
    try:
        return task.with_label_map(parsed)
    except UserError as error:
        raise UserError(str(error).replace("label_map", key, 1)) from None


def score_label_maps(score: Mapping[str, Any], task: Task) -> list[dict[int, int] | None]:
    """Return the label map of each folder of predictions from `score.label_map`; None for a folder without one.

    Raises:
        UserError: a map does not fit the task, or the list does not have one entry for each folder.
    """
    label_map, folders = score["label_map"], score["predictions"] or []
    count = 1 if isinstance(folders, str) else len(folders)
    if isinstance(label_map, list) and folders and len(label_map) != count:
        raise UserError(
            f"score.label_map: the list has {len(label_map)} entries, but score.predictions has {count} folders; write "
            "one entry for each folder, null for a folder without a label map"
        )
    maps = label_map if isinstance(label_map, list) else [label_map] * max(1, count)
    checked = [None if entry is None else apply_label_map(task, entry, "score.label_map").label_map for entry in maps]
    return checked[:count]


def score_label_map_errors(score: Mapping[str, Any], task: Task) -> list[str]:
    """Return the problem of `score.label_map` as a sentence; an empty list if there is none."""
    try:
        score_label_maps(score, task)
    except UserError as error:
        return [f"{error}"]
    return []


def parse_label_maps(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with whole numbers as keys of its label maps, which must be valid."""
    cohort, score = configuration["cohort"], configuration["score"]
    return {
        **configuration,
        "cohort": {**cohort, "label_map": _parse_optional(cohort["label_map"])},
        "score": {**score, "label_map": _parse_optional(score["label_map"])},
    }


def _parse_optional(label_map: Any) -> Any:
    if isinstance(label_map, list):
        return [_parse_optional(each) for each in label_map]
    return parse_label_map(label_map, "label_map") if label_map is not None else None
