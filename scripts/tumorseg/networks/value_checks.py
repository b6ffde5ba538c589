"""Strict checks of values from an untrusted file, with a description of what is allowed."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tumorseg.errors import Message


@dataclass(frozen=True)
class ValueCheck:
    """A test of a single value, and what it allows, in words."""

    description: Message
    test: Callable[[Any], bool]


@dataclass(frozen=True)
class ListOf:
    """A list of up to `most` items, and one at least. item: what each may be."""

    item: "ExpectedValue"
    max_length: int
    min_length: int = 1


@dataclass(frozen=True)
class MapOf:
    """An object of up to `most` keys, each of which `key` allows. item: what each value may be."""

    key: ValueCheck
    item: "ExpectedValue"
    max_length: int
    min_length: int = 1


ExpectedValue = ValueCheck | ListOf | MapOf | Mapping[str, Any]
"""What a value may be. A mapping has exactly these keys, each of which is expected in turn."""


def integer(minimum: int, maximum: int) -> ValueCheck:
    """A whole number in a range."""
    return ValueCheck(
        f"a whole number from {minimum} to {maximum}", lambda value: type(value) is int and minimum <= value <= maximum
    )


def one_of(*values: Any) -> ValueCheck:
    """One of these values, of the same type."""
    words: Message = " or ".join("null" if value is None else str(value) for value in values)
    return ValueCheck(words, lambda value: any(type(value) is type(other) and value == other for other in values))


def or_null(check: ValueCheck) -> ValueCheck:
    """The same, or null."""
    return ValueCheck(f"{check.description} or null", lambda value: value is None or check.test(value))


def matching(pattern: str, description: Message) -> ValueCheck:
    """Text that is all of a regular expression."""
    expression = re.compile(pattern, re.ASCII)
    return ValueCheck(description, lambda value: isinstance(value, str) and expression.fullmatch(value) is not None)


def text(max_length: int) -> ValueCheck:
    """Text of up to `most` characters, none of which controls a terminal."""
    return ValueCheck(
        f"text of up to {max_length} printable characters",
        lambda value: isinstance(value, str) and len(value) <= max_length and value.isprintable(),
    )


def is_finite_number(value: Any) -> bool:
    """Whether a value is a finite number."""
    return type(value) in (int, float) and math.isfinite(value)


BOOLEAN: Final = ValueCheck("true or false", lambda value: type(value) is bool)


def value_problems(content: Any, expected: ExpectedValue, key_path: str) -> Iterator[Message]:
    """Yield what is wrong with a value of plain JSON types. place: its key, for messages; empty for the whole."""
    if isinstance(expected, ValueCheck):
        if not expected.test(content):
            yield f"{key_path}: {printable_excerpt(content)} is not allowed; it has to be {expected.description}"
    elif isinstance(expected, ListOf):
        yield from _list_problems(content, expected, key_path)
    elif isinstance(expected, MapOf):
        yield from _map_problems(content, expected, key_path)
    elif not isinstance(content, dict):
        yield f"{key_path or 'the description'}: it has to have the keys {', '.join(expected)}"
    else:
        yield from (f"{_join_keys(key_path, key)}: this key is missing" for key in expected if key not in content)
        yield from (
            f"{_join_keys(key_path, printable_excerpt(key))}: there is no such key"
            for key in content
            if key not in expected
        )
        for key in [key for key in expected if key in content]:
            yield from value_problems(content[key], expected[key], _join_keys(key_path, key))


def _list_problems(content: Any, expected: ListOf, key_path: str) -> Iterator[Message]:
    if not isinstance(content, list) or not expected.min_length <= len(content) <= expected.max_length:
        yield f"{key_path}: {printable_excerpt(content)} is not allowed; it has to be a list of {expected.min_length} to {expected.max_length}"
        return
    for index, item in enumerate(content):
        yield from value_problems(item, expected.item, f"{key_path}[{index}]")


def _map_problems(content: Any, expected: MapOf, key_path: str) -> Iterator[Message]:
    if not isinstance(content, dict) or not expected.min_length <= len(content) <= expected.max_length:
        yield f"{key_path}: {printable_excerpt(content)} is not allowed; it has to have {expected.min_length} to {expected.max_length} keys"
        return
    for key, value in content.items():
        if expected.key.test(key):
            yield from value_problems(value, expected.item, _join_keys(key_path, key))
        else:
            yield f"{_join_keys(key_path, printable_excerpt(key))}: a key has to be {expected.key.description}"


def printable_excerpt(value: Any) -> Message:
    """A value of an untrusted file, as a message may show it: in short, without control characters."""
    return ascii(value)[:60]


def _join_keys(key_path: str, key: str) -> Message:
    return f"{key_path}.{key}" if key_path else key
