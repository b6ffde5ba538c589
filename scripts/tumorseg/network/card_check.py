"""What a model file may say of its model: checked strictly, before anything is built or loaded from it."""

import json
import math
from typing import Any, Final

from tumorseg.errors import Message
from tumorseg.network.allowed import (
    TRUTH,
    Allowed,
    Expected,
    ListOf,
    is_number,
    matching,
    one_of,
    problems,
    whole,
)
from tumorseg.network.task_check import task_problems
from tumorseg.task import Task

LARGEST_WIDTH: Final = 256
"""Channels of the first level that a network may have, as in the configuration: 32 are usual, 256 make 1.5 GB."""
LARGEST_DEPTH: Final = 5
"""Down-samplings that a network may have, as in the configuration."""
LARGEST_MARGIN: Final = 256
INTENSITIES: Final = ("p01", "median", "p99", "median_position")
"""The intensity facts of a channel; see `training_facts.intensity_facts`."""


def card_problems(content: Any) -> list[Message]:
    """Return what is wrong with a model's description, as plain JSON types; empty if it is valid."""
    if not isinstance(content, dict) or "task" not in content:
        return ["the description: it has to be an object with the key task"]
    if wrong := task_problems(content["task"]):
        return wrong
    return list(problems(content, _card(Task.from_json(json.dumps(content["task"]))), ""))


def _card(task: Task) -> dict[str, Expected]:
    """What the description of a model for this task may say."""
    channels = list(task.channel_names)
    return {
        "architecture": {
            "name": matching(r"[a-z][a-z0-9_]{0,63}", "the name of a network"),
            "base_channels": whole(1, LARGEST_WIDTH),
            "depth": whole(1, LARGEST_DEPTH),
            "norm": one_of("batch", "instance"),
            "down_sampling": one_of("pool", "stride"),
            "deep_supervision": TRUTH,
            "classes": one_of(task.classes),
            "channels": one_of(len(channels)),
        },
        "task": Allowed("a task", lambda value: isinstance(value, dict)),  # checked by itself
        "normalisation": {
            "clip_percentiles": Allowed(
                "two percentiles, the first from 0 to below 50, the second from above 50 to 100", _is_percentiles
            ),
            "margin": whole(0, LARGEST_MARGIN),
        },
        "convention": one_of(*task.conventions, "mixed", None),
        "fold": whole(0, 9999),
        "epoch": whole(1, 9999),
        "checkpoint": _SHA256,
        "split": _SHA256,
        "trained_on": {
            "cases": whole(1, 10**7),
            "demo": TRUTH,
            "channels": Allowed(f"the list {', '.join(channels)}", lambda value: value == channels),
            "input_shape": ListOf(whole(1, 10**4), 3, least=3),
            "spacing_mm": ListOf(_range(1e-3, 1e3), 3, least=3),
            "shape": ListOf(_range(1, 10**5), 3, least=3),
            "brain_voxels": _range(0, 10**12),
            "intensities": {
                channel: Allowed(f"ranges of {', '.join(INTENSITIES)}", _is_intensities) for channel in channels
            },
        },
    }


_SHA256: Final = matching("[0-9a-f]{64}", "a SHA-256 of 64 hexadecimal digits")


def _is_percentiles(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(map(is_number, value))
        and 0 <= value[0] < 50 < value[1] <= 100
    )


def _is_range(value: Any, least: float, most: float) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"low", "median", "high"}
        and all(map(is_number, value.values()))
        and least <= value["low"] <= value["median"] <= value["high"] <= most
    )


def _range(least: float, most: float) -> Allowed:
    words: Message = f"low, median and high, in this order, from {least:g} to {most:g}"
    return Allowed(words, lambda value: _is_range(value, least, most))


def _is_intensities(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= set(INTENSITIES)
        and all(_is_range(item, -math.inf, math.inf) for item in value.values())
    )
