"""Strict tests of values that come from an untrusted file, and what they allow, in words."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tumorseg.errors import Message


@dataclass(frozen=True)
class Allowed:
    """A test of a single value, and what it allows, in words."""

    words: Message
    test: Callable[[Any], bool]


@dataclass(frozen=True)
class ListOf:
    """A list of up to `most` items, and one at least. item: what each may be."""

    item: "Expected"
    most: int
    least: int = 1


@dataclass(frozen=True)
class MapOf:
    """An object of up to `most` keys, each of which `key` allows. item: what each value may be."""

    key: Allowed
    item: "Expected"
    most: int
    least: int = 1


Expected = Allowed | ListOf | MapOf | Mapping[str, Any]
"""What a value may be. A mapping has exactly these keys, each of which is expected in turn."""


def whole(least: int, most: int) -> Allowed:
    """A whole number in a range."""
    return Allowed(
        f"a whole number from {least} to {most}", lambda value: type(value) is int and least <= value <= most
    )


def one_of(*values: Any) -> Allowed:
    """One of these values, of the same type."""
    words: Message = " or ".join("null" if value is None else str(value) for value in values)
    return Allowed(words, lambda value: any(type(value) is type(other) and value == other for other in values))


def or_null(allowed: Allowed) -> Allowed:
    """The same, or null."""
    return Allowed(f"{allowed.words} or null", lambda value: value is None or allowed.test(value))


def matching(pattern: str, words: Message) -> Allowed:
    """Text that is all of a regular expression."""
    expression = re.compile(pattern, re.ASCII)
    return Allowed(words, lambda value: isinstance(value, str) and expression.fullmatch(value) is not None)


def text(most: int) -> Allowed:
    """Text of up to `most` characters, none of which controls a terminal."""
    return Allowed(
        f"text of up to {most} printable characters",
        lambda value: isinstance(value, str) and len(value) <= most and value.isprintable(),
    )


def is_number(value: Any) -> bool:
    """Whether a value is a finite number."""
    return type(value) in (int, float) and math.isfinite(value)


TRUTH: Final = Allowed("true or false", lambda value: type(value) is bool)


def problems(content: Any, expected: Expected, place: str) -> Iterator[Message]:
    """Yield what is wrong with a value of plain JSON types. place: its key, for messages; empty for the whole."""
    if isinstance(expected, Allowed):
        if not expected.test(content):
            yield f"{place}: {shown(content)} is not allowed; it has to be {expected.words}"
    elif isinstance(expected, ListOf):
        yield from _of_list(content, expected, place)
    elif isinstance(expected, MapOf):
        yield from _of_map(content, expected, place)
    elif not isinstance(content, dict):
        yield f"{place or 'the description'}: it has to have the keys {', '.join(expected)}"
    else:
        yield from (f"{_join(place, key)}: this key is missing" for key in expected if key not in content)
        yield from (f"{_join(place, shown(key))}: there is no such key" for key in content if key not in expected)
        for key in [key for key in expected if key in content]:
            yield from problems(content[key], expected[key], _join(place, key))


def _of_list(content: Any, expected: ListOf, place: str) -> Iterator[Message]:
    if not isinstance(content, list) or not expected.least <= len(content) <= expected.most:
        yield f"{place}: {shown(content)} is not allowed; it has to be a list of {expected.least} to {expected.most}"
        return
    for index, item in enumerate(content):
        yield from problems(item, expected.item, f"{place}[{index}]")


def _of_map(content: Any, expected: MapOf, place: str) -> Iterator[Message]:
    if not isinstance(content, dict) or not expected.least <= len(content) <= expected.most:
        yield f"{place}: {shown(content)} is not allowed; it has to have {expected.least} to {expected.most} keys"
        return
    for key, value in content.items():
        if expected.key.test(key):
            yield from problems(value, expected.item, _join(place, key))
        else:
            yield f"{_join(place, shown(key))}: a key has to be {expected.key.words}"


def shown(value: Any) -> Message:
    """A value of an untrusted file, as a message may show it: in short, without control characters."""
    return ascii(value)[:60]


def _join(place: str, key: str) -> Message:
    return f"{place}.{key}" if place else key
