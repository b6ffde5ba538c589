"""What a model file may say of its model: checked strictly, before anything is built or loaded from it."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tumorseg.labels import CLASSES, MODALITIES

LARGEST_WIDTH: Final = 256
"""Channels of the first level that a network may have, as in the configuration: 32 are usual, 256 make 1.5 GB."""
LARGEST_MARGIN: Final = 256
INTENSITIES: Final = ("p01", "median", "p99", "median_position")
"""The intensity facts of a modality; see `training_facts.intensity_facts`."""


@dataclass(frozen=True)
class _Allowed:
    """A test of a single value, and what it allows, in words."""

    words: str
    test: Callable[[Any], bool]


def _whole(least: int, most: int) -> _Allowed:
    return _Allowed(
        f"a whole number from {least} to {most}", lambda value: type(value) is int and least <= value <= most
    )


def _number(least: float, most: float) -> _Allowed:
    return _Allowed(f"a number from {least:g} to {most:g}", lambda value: _is_number(value) and least <= value <= most)


def _one_of(*values: Any) -> _Allowed:
    words = " or ".join("null" if value is None else str(value) for value in values)
    return _Allowed(words, lambda value: any(type(value) is type(other) and value == other for other in values))


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _is_percentiles(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(map(_is_number, value))
        and 0 <= value[0] < 50 < value[1] <= 100
    )


def _is_range(value: Any, least: float, most: float) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"low", "median", "high"}
        and all(map(_is_number, value.values()))
        and least <= value["low"] <= value["median"] <= value["high"] <= most
    )


def _range(least: float, most: float) -> _Allowed:
    words = f"low, median and high, in this order, from {least:g} to {most:g}"
    return _Allowed(words, lambda value: _is_range(value, least, most))


def _three(item: _Allowed) -> _Allowed:
    return _Allowed(
        f"a list of 3 items, each {item.words}",
        lambda value: isinstance(value, list) and len(value) == 3 and all(map(item.test, value)),
    )


def _is_intensities(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= set(INTENSITIES)
        and all(_is_range(item, -math.inf, math.inf) for item in value.values())
    )


_TRUTH: Final = _Allowed("true or false", lambda value: type(value) is bool)
_SHA256: Final = _Allowed(
    "a SHA-256 of 64 hexadecimal digits",
    lambda value: isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None,
)
_CARD: Final[dict[str, Any]] = {
    "architecture": {
        "base_channels": _whole(1, LARGEST_WIDTH),
        "norm": _one_of("batch", "instance"),
        "down_sampling": _one_of("pool", "stride"),
        "deep_supervision": _TRUTH,
        "classes": _one_of(CLASSES),
        "modalities": _one_of(len(MODALITIES)),
    },
    "normalisation": {
        "clip_percentiles": _Allowed(
            "two percentiles, the first from 0 to below 50, the second from above 50 to 100", _is_percentiles
        ),
        "margin": _whole(0, LARGEST_MARGIN),
    },
    "convention": _one_of("brats2021", "brats2023", "mixed", None),
    "fold": _whole(0, 9999),
    "epoch": _whole(1, 9999),
    "checkpoint": _SHA256,
    "split": _SHA256,
    "trained_on": {
        "cases": _whole(1, 10**7),
        "demo": _TRUTH,
        "modalities": _Allowed(f"the list {', '.join(MODALITIES)}", lambda value: value == list(MODALITIES)),
        "input_shape": _three(_whole(1, 10**4)),
        "spacing_mm": _three(_range(1e-3, 1e3)),
        "shape": _three(_range(1, 10**5)),
        "brain_voxels": _range(0, 10**12),
        "intensities": {
            modality: _Allowed(f"ranges of {', '.join(INTENSITIES)}", _is_intensities) for modality in MODALITIES
        },
    },
}


def card_problems(content: Any) -> list[str]:
    """Return what is wrong with a model's description, as plain JSON types; empty if it is valid."""
    return list(_problems(content, _CARD, ""))


def shown(value: Any) -> str:
    """A value of a file that nobody vouches for, as a message may show it: in short, without control characters."""
    return ascii(value)[:60]


def _problems(content: Any, expected: Mapping[str, Any] | _Allowed, place: str) -> Iterator[str]:
    if isinstance(expected, _Allowed):
        if not expected.test(content):
            yield f"{place}: {shown(content)} is not allowed; it has to be {expected.words}"
        return
    if not isinstance(content, dict):
        yield f"{place or 'the description'}: it has to have the keys {', '.join(expected)}"
        return
    yield from (f"{_join(place, key)}: this key is missing" for key in expected if key not in content)
    yield from (f"{_join(place, shown(key))}: there is no such key" for key in content if key not in expected)
    for key in expected:
        if key in content:
            yield from _problems(content[key], expected[key], _join(place, key))


def _join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
