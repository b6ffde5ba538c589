"""Parse and apply label maps, which define what each value of a mask means."""

import re
from collections.abc import Mapping
from typing import Any, Final

from tumorseg.errors import UserError
from tumorseg.task import Task

MAX_MASK_VALUE: Final = 255
"""The largest value that a mask may have on disk."""


def parse_label_map(given: Mapping[Any, int], key: str) -> dict[int, int]:
    """A label map with whole numbers as keys. YAML reads them as such, Snakemake's `--config` as text.

    key: of the configuration, for messages. Raises UserError where a key is no value that a mask can have, or is there
    twice.
    """
    result: dict[int, int] = {}
    for name, label in given.items():
        known = type(name) in (int, str) and re.fullmatch(r"0|[1-9][0-9]{0,2}", str(name))
        if not known or int(name) > MAX_MASK_VALUE:
            shown = str(name).lower() if isinstance(name, bool) else name
            raise UserError(
                f"{key}: {shown} is not a value of masks: these are whole numbers from 0 to {MAX_MASK_VALUE}; write "
                "one before each colon and a label of the task after it, as in {1: 2, 2: 1, 3: 4}"
            )
        if int(name) in result:
            raise UserError(f"{key}: the value {name} is there twice; leave one out")
        result[int(name)] = label
    return result


def apply_label_map(task: Task, given: Mapping[Any, int], key: str) -> Task:
    """The task whose masks are read by a label map. Raises UserError, which begins with `key`, where that is wrong."""
    whole = parse_label_map(given, key)
    try:
        return task.with_label_map(whole)
    except UserError as error:
        raise UserError(str(error).replace("label_map", key, 1)) from None


def score_label_maps(score: Mapping[str, Any], task: Task) -> list[dict[int, int] | None]:
    """Return the label map of each folder of predictions, as `score.label_map` says; None without one.

    Raises UserError where a map does not fit the task, and where a list has not one entry for each folder.
    """
    given, folders = score["label_map"], score["predictions"] or []
    count = 1 if isinstance(folders, str) else len(folders)
    if isinstance(given, list) and folders and len(given) != count:
        raise UserError(
            f"score.label_map: the list has {len(given)} entries and there are {count} folders in score.predictions; "
            "give one entry for each, null for a folder without a label map"
        )
    maps = given if isinstance(given, list) else [given] * max(1, count)
    checked = [None if one is None else apply_label_map(task, one, "score.label_map").label_map for one in maps]
    return checked[:count]


def score_label_map_errors(score: Mapping[str, Any], task: Task) -> list[str]:
    """What is wrong with `score.label_map`, in a sentence; nothing where it fits."""
    try:
        score_label_maps(score, task)
    except UserError as error:
        return [f"{error}"]
    return []


def parse_label_maps(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with whole numbers as keys of all its label maps, which have no mistakes."""
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
