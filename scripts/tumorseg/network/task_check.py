"""What a model file may say of its task: checked strictly, before a `Task` is made of it."""

import json
from typing import Any, Final

from tumorseg.errors import Message
from tumorseg.network.allowed import (
    TRUTH,
    Expected,
    ListOf,
    MapOf,
    matching,
    or_null,
    problems,
    text,
    whole,
)
from tumorseg.task import MAPPED, OWN_VALUES, Task
from tumorseg.task.checks import contradiction_of_parts

_MOST: Final = 16
"""Channels, classes and regions of a task, as in its schema."""
_TITLE: Final = text(200)
_LABEL: Final = whole(1, _MOST - 1)
_NAME: Final = matching(r"[A-Za-z][A-Za-z0-9_]{0,63}", "a name of letters and digits")
_ENDINGS: Final = ListOf(matching(r"[a-z0-9._-]{1,64}", "the end of a file's name"), 20, least=0)
_OWN: Final[dict[str, Expected]] = {
    "name": text(200),
    "title": _TITLE,
    "channels": ListOf(
        {
            "name": matching("[a-z0-9]{1,64}", "a name of lower-case letters and digits"),
            "title": _TITLE,
            "files": _ENDINGS,
            "volume": or_null(whole(0, 15)),
            "optional": TRUTH,
            "display": TRUTH,
            "beside": TRUTH,
        },
        _MOST,
    ),
    "mask_files": _ENDINGS,
    "classes": whole(2, _MOST),
    "labels": ListOf(
        {
            "value": _LABEL,
            "title": _TITLE,
            "meaning": _NAME,
            "colour": matching("#[0-9A-Fa-f]{6}", "a colour such as #0072B2"),
        },
        _MOST - 1,
    ),
    "regions": ListOf(
        {
            "name": _NAME,
            "title": _TITLE,
            "labels": ListOf(_LABEL, _MOST - 1),
            "removed_to": whole(0, _MOST - 1),
            "holes": or_null(_LABEL),
        },
        _MOST,
    ),
    "conventions": MapOf(_NAME, MapOf(matching("[0-9]{1,3}", "a value of masks"), whole(0, 255), 256, least=0), 8),
    "case_name": text(200),
    "first_time_point": whole(0, 10**6),
    "case_names": or_null(text(1000)),
    "grids": ListOf(ListOf(whole(1, 4096), 3, least=3), 20, least=0),
    "patient": or_null(text(1000)),
}


def task_problems(content: Any) -> list[Message]:
    """Return what is wrong with the task in a model's description, as plain JSON types; empty if it is valid."""
    if wrong := list(problems(content, _OWN, "task")):
        return wrong
    for key in ("channels", "labels", "regions"):
        items = [item.get("name", item.get("value")) for item in content[key]]
        if len(set(items)) < len(items):
            return [f"task.{key}: two of them are the same"]
    label_map = content["conventions"].get(MAPPED, {})
    if unknown := set(label_map.values()) - {0, *(label["value"] for label in content["labels"])}:
        return [f"task.conventions.{MAPPED}: {min(unknown)} is not among the labels"]
    own = {name: written for name, written in content["conventions"].items() if name != MAPPED} or {OWN_VALUES: {}}
    wrong_parts = contradiction_of_parts(Task.from_json(json.dumps({**content, "conventions": own})))
    return [f"task: {wrong_parts}"] if wrong_parts else []
