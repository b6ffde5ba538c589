"""Validation of the model card in a model file, including its task, before a network is built from it."""

import json
import math
from typing import Any, Final

from tumorseg.errors import Message
from tumorseg.networks.subset_scores import channels_check, expected_subset_scores
from tumorseg.networks.value_checks import (
    BOOLEAN,
    ExpectedValue,
    ListOf,
    MapOf,
    OptionalKey,
    ValueCheck,
    integer,
    is_finite_number,
    matching,
    one_of,
    or_null,
    text,
    value_problems,
)
from tumorseg.task import DEFAULT_CONVENTION, LABEL_MAP_CONVENTION, Task
from tumorseg.task.checks import first_contradiction_without_patterns

_MAX_COUNT: Final = 16
"""Largest number of channels, classes and regions of a task, as in its schema."""
_TITLE: Final = text(200)
_LABEL: Final = integer(1, _MAX_COUNT - 1)
_NAME: Final = matching(r"[A-Za-z][A-Za-z0-9_]{0,63}", "a name of letters and digits")
_FILE_SUFFIXES: Final = ListOf(matching(r"[a-z0-9._-]{1,64}", "the end of a file's name"), 20, min_length=0)
_EXPECTED_TASK: Final[dict[str, ExpectedValue]] = {
    "name": text(200),
    "title": _TITLE,
    "channels": ListOf(
        {
            "name": matching("[a-z0-9]{1,64}", "a name of lower-case letters and digits"),
            "title": _TITLE,
            "files": _FILE_SUFFIXES,
            "volume": or_null(integer(0, 15)),
            "optional": BOOLEAN,
            "display": BOOLEAN,
            "beside": BOOLEAN,
        },
        _MAX_COUNT,
    ),
    "mask_files": _FILE_SUFFIXES,
    "classes": integer(2, _MAX_COUNT),
    "labels": ListOf(
        {
            "value": _LABEL,
            "title": _TITLE,
            "meaning": _NAME,
            "colour": matching("#[0-9A-Fa-f]{6}", "a colour such as #0072B2"),
        },
        _MAX_COUNT - 1,
    ),
    "regions": ListOf(
        {
            "name": _NAME,
            "title": _TITLE,
            "labels": ListOf(_LABEL, _MAX_COUNT - 1),
            "removed_to": integer(0, _MAX_COUNT - 1),
            "holes": or_null(_LABEL),
        },
        _MAX_COUNT,
    ),
    "conventions": MapOf(
        _NAME, MapOf(matching("[0-9]{1,3}", "a value of masks"), integer(0, 255), 256, min_length=0), 8
    ),
    "case_name": text(200),
    "first_time_point": integer(0, 10**6),
    "case_names": or_null(text(1000)),
    "grids": ListOf(ListOf(integer(1, 4096), 3, min_length=3), 20, min_length=0),
    "patient": or_null(text(1000)),
    "whole_head": OptionalKey(BOOLEAN),
}


def task_problems(task: Any) -> list[Message]:
    """Return the problems of the task in a model card, given as plain JSON types; empty if it is valid."""
    if problems := list(value_problems(task, _EXPECTED_TASK, "task")):
        return problems
    for key in ("channels", "labels", "regions"):
        items = [item.get("name", item.get("value")) for item in task[key]]
        if len(set(items)) < len(items):
            return [f"task.{key}: two of them are the same"]
    label_map = task["conventions"].get(LABEL_MAP_CONVENTION, {})
    if unknown := set(label_map.values()) - {0, *(label["value"] for label in task["labels"])}:
        return [f"task.conventions.{LABEL_MAP_CONVENTION}: {min(unknown)} is not among the labels"]
    conventions = {name: written for name, written in task["conventions"].items() if name != LABEL_MAP_CONVENTION} or {
        DEFAULT_CONVENTION: {}
    }
    contradiction = first_contradiction_without_patterns(
        Task.from_json(json.dumps({**task, "conventions": conventions}))
    )
    return [f"task: {contradiction}"] if contradiction else []


MAX_BASE_CHANNELS: Final = 256
"""Largest number of channels of the first level, as in the configuration: 32 are usual, 256 make 1.5 GB."""
MAX_DEPTH: Final = 5
"""Largest number of down-samplings, as in the configuration."""
MAX_MARGIN_VOXELS: Final = 256
MAX_STARTER_SCORES: Final = 300
"""Largest number of characters of `ModelCard.starter_scores`."""
MIN_SPACING_MM: Final = 0.2
MAX_SPACING_MM: Final = 10
"""Limits of the voxel edges of the network's grid, as in the configuration."""
INTENSITY_FACTS: Final = ("p01", "median", "p99", "median_position")
"""Names of the intensity facts of a channel, see `training_facts.channel_intensity_facts`."""


def card_problems(card: Any) -> list[Message]:
    """Return the problems of a model card, given as plain JSON types; empty if it is valid."""
    if not isinstance(card, dict) or "task" not in card:
        return ["the description: it has to be an object with the key task"]
    if problems := task_problems(card["task"]):
        return problems
    if problems := list(value_problems(card, _expected_card(Task.from_json(json.dumps(card["task"]))), "")):
        return problems
    sets, patches = (card["trained_on"].get(key, []) for key in ("channel_sets", "set_patches"))
    if patches and len(patches) != len(sets):
        return [f"trained_on.set_patches: {len(patches)} numbers, but {len(sets)} sets of channels"]
    return []


def _expected_card(task: Task) -> dict[str, ExpectedValue]:
    """Return what the card of a model for this task may contain."""
    channels = list(task.channel_names)
    return {
        "architecture": {
            "name": matching(r"[a-z][a-z0-9_]{0,63}", "the name of a network"),
            "base_channels": integer(1, MAX_BASE_CHANNELS),
            "depth": integer(1, MAX_DEPTH),
            "norm": one_of("batch", "instance"),
            "down_sampling": one_of("pool", "stride"),
            "deep_supervision": BOOLEAN,
            "classes": one_of(task.classes),
            "channels": one_of(len(channels)),
        },
        "task": ValueCheck("a task", lambda value: isinstance(value, dict)),  # see task_problems
        "normalisation": {
            "clip_percentiles": ValueCheck(
                "two percentiles, the first from 0 to below 50, the second from above 50 to 100", _is_percentiles
            ),
            "margin_voxels": integer(0, MAX_MARGIN_VOXELS),
            "spacing_mm": OptionalKey(ListOf(_SPACING, 3, min_length=3)),
        },
        "convention": one_of(*task.conventions, "mixed", None),
        "fold": integer(0, 9999),
        "epoch": integer(1, 9999),
        "checkpoint": _SHA256,
        "split": _SHA256,
        "start_from": OptionalKey(or_null(_SHA256)),
        "starter_scores": OptionalKey(or_null(text(MAX_STARTER_SCORES))),
        "subset_scores": OptionalKey(
            ValueCheck(
                "scores of subsets of the channels, see subset_scores.SubsetScores, or null",
                lambda value: value is None or not any(value_problems(value, expected_subset_scores(task), "")),
            )
        ),
        "trained_on": {
            "cases": integer(1, 10**7),
            "demo": BOOLEAN,
            "channels": ValueCheck(f"the list {', '.join(channels)}", lambda value: value == channels),
            "input_shape": ListOf(integer(1, 10**4), 3, min_length=3),
            "spacing_mm": ListOf(_range_check(1e-3, 1e3), 3, min_length=3),
            "shape": ListOf(_range_check(1, 10**5), 3, min_length=3),
            "brain_voxels": _range_check(0, 10**12),
            "case_signatures": OptionalKey(ListOf(_SIGNATURE, 10**6, min_length=0)),
            "channel_dropout": OptionalKey(
                ValueCheck("a number from 0 to 1", lambda value: is_finite_number(value) and 0 <= value <= 1)
            ),
            "channel_sets": OptionalKey(ListOf(channels_check(task), 2**_MAX_COUNT, min_length=0)),
            "set_patches": OptionalKey(
                ListOf(
                    ValueCheck("a number from 0", lambda value: is_finite_number(value) and value >= 0),
                    2**_MAX_COUNT,
                    min_length=0,
                )
            ),
            "intensities": {
                channel: ValueCheck(f"ranges of {', '.join(INTENSITY_FACTS)}", _is_intensities) for channel in channels
            },
        },
    }


_SPACING: Final = ValueCheck(
    f"a number from {MIN_SPACING_MM:g} to {MAX_SPACING_MM:g}",
    lambda value: is_finite_number(value) and MIN_SPACING_MM <= value <= MAX_SPACING_MM,
)
_SHA256: Final = matching("[0-9a-f]{64}", "a SHA-256 of 64 hexadecimal digits")
_SIGNATURE: Final = matching("[0-9a-f]{16}", "a signature of 16 hexadecimal digits")


def _is_percentiles(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(map(is_finite_number, value))
        and 0 <= value[0] < 50 < value[1] <= 100
    )


def _is_range(value: Any, minimum: float, maximum: float) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"low", "median", "high"}
        and all(map(is_finite_number, value.values()))
        and minimum <= value["low"] <= value["median"] <= value["high"] <= maximum
    )


def _range_check(minimum: float, maximum: float) -> ValueCheck:
    allowed: Message = f"low, median and high, in this order, from {minimum:g} to {maximum:g}"
    return ValueCheck(allowed, lambda value: _is_range(value, minimum, maximum))


def _is_intensities(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= set(INTENSITY_FACTS)
        and all(_is_range(item, -math.inf, math.inf) for item in value.values())
    )
