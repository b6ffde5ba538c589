"""Parse and apply label maps, which assign a label to each value of a mask."""

import re
from collections.abc import Mapping
from typing import Any, Final

from tumorseg.errors import UserError
from tumorseg.task import Task

MAX_MASK_VALUE: Final = 255
"""The largest value that a mask may have on disk."""


def parse_label_map(given: Mapping[Any, int], key: str) -> dict[int, int]:
    """Return a label map with whole numbers as keys: YAML reads keys as numbers, Snakemake's `--config` as text.

    Args:
        given: label by mask value.
        key: of the configuration, for messages.

    Returns:
        Label by mask value.

    Raises:
        UserError: a key is no possible value of a mask, or occurs twice.
    """
    result: dict[int, int] = {}
    for name, label in given.items():
        known = type(name) in (int, str) and re.fullmatch(r"0|[1-9][0-9]{0,2}", str(name))
        if not known or int(name) > MAX_MASK_VALUE:
            shown = str(name).lower() if isinstance(name, bool) else name
            raise UserError(
                f"{key}: {shown} is not a mask value, which is a whole number from 0 to {MAX_MASK_VALUE}; write a mask "
                "value before each colon and a label of the task after it, as in {1: 2, 2: 1, 3: 4}"
            )
        if int(name) in result:
            raise UserError(f"{key}: the value {name} occurs twice; leave one out")
        result[int(name)] = label
    return result


def apply_label_map(task: Task, given: Mapping[Any, int], key: str) -> Task:
    """Return the task with a label map for its masks. A UserError about the map begins with `key`."""
    whole = parse_label_map(given, key)
    try:
        return task.with_label_map(whole)
    except UserError as error:
        raise UserError(str(error).replace("label_map", key, 1)) from None


def score_label_maps(score: Mapping[str, Any], task: Task) -> list[dict[int, int] | None]:
    """Return the label map of each folder of predictions from `score.label_map`; None for a folder without one.

    Raises:
        UserError: a map does not fit the task, or the list does not have one entry for each folder.
    """
    given, folders = score["label_map"], score["predictions"] or []
    count = 1 if isinstance(folders, str) else len(folders)
    if isinstance(given, list) and folders and len(given) != count:
        raise UserError(
            f"score.label_map: the list has {len(given)} entries, but score.predictions has {count} folders; write one "
            "entry for each folder, null for a folder without a label map"
        )
    maps = given if isinstance(given, list) else [given] * max(1, count)
    checked = [None if one is None else apply_label_map(task, one, "score.label_map").label_map for one in maps]
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


def _parse_optional(given: Any) -> Any:
    if isinstance(given, list):
        return [_parse_optional(each) for each in given]
    return parse_label_map(given, "label_map") if given is not None else None
