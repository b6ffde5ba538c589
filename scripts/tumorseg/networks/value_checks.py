"""Strict checks of values from an untrusted file, with descriptions of the allowed values.

They check the facts stored in models. The configuration is checked by its JSON schema, see `schema_validation`.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tumorseg.errors import Message


@dataclass(frozen=True)
class ValueCheck:
    """A test of a single value.

    Attributes:
        description: the allowed values, for messages.
        test: returns whether a value is allowed.
    """

    description: Message
    test: Callable[[Any], bool]


@dataclass(frozen=True)
class ListOf:
    """A list of `min_length` to `max_length` items, each of which `item` must allow."""

    item: "ExpectedValue"
    max_length: int
    min_length: int = 1


@dataclass(frozen=True)
class MapOf:
    """A dictionary of `min_length` to `max_length` keys; `key` must allow each key, and `item` each value."""

    key: ValueCheck
    item: "ExpectedValue"
    max_length: int
    min_length: int = 1


@dataclass(frozen=True)
class OptionalKey:
    """A key that may be missing; `item` must allow its value."""

    item: "ExpectedValue"


ExpectedValue = ValueCheck | ListOf | MapOf | OptionalKey | Mapping[str, Any]
"""The allowed values. A mapping requires exactly its keys, but for an `OptionalKey`, each with an allowed value."""


def integer(minimum: int, maximum: int) -> ValueCheck:
    """Allow whole numbers in a range, bounds included."""
    return ValueCheck(
        f"a whole number from {minimum} to {maximum}", lambda value: type(value) is int and minimum <= value <= maximum
    )


def one_of(*values: Any) -> ValueCheck:
    """Allow these values; the type must match too."""
    allowed: Message = " or ".join("null" if value is None else str(value) for value in values)
    return ValueCheck(allowed, lambda value: any(type(value) is type(other) and value == other for other in values))


def or_null(check: ValueCheck) -> ValueCheck:
    """Allow what `check` allows, and null."""
    return ValueCheck(f"{check.description} or null", lambda value: value is None or check.test(value))


def matching(pattern: str, description: Message) -> ValueCheck:
    """Allow texts that match a regular expression in full."""
    expression = re.compile(pattern, re.ASCII)
    return ValueCheck(description, lambda value: isinstance(value, str) and expression.fullmatch(value) is not None)


def text(max_length: int) -> ValueCheck:
    """Allow texts without control characters, up to a length."""
    return ValueCheck(
        f"text of up to {max_length} printable characters",
        lambda value: isinstance(value, str) and len(value) <= max_length and value.isprintable(),
    )


def is_finite_number(value: Any) -> bool:
    """Return whether a value is a finite number; booleans are not numbers here."""
    return type(value) in (int, float) and math.isfinite(value)


BOOLEAN: Final = ValueCheck("true or false", lambda value: type(value) is bool)


def value_problems(content: Any, expected: ExpectedValue, key_path: str) -> Iterator[Message]:
    """Yield what is wrong with a value.

    Args:
        content: plain JSON types.
        expected: the allowed values.
        key_path: path of keys to the value, for messages, such as `task.labels[0]`; empty for the whole content.

    Yields:
        One message for each problem.
    """
    if isinstance(expected, ValueCheck):
        if not expected.test(content):
            yield f"{key_path}: {printable_excerpt(content)} is not allowed; it has to be {expected.description}"
    elif isinstance(expected, OptionalKey):
        yield from value_problems(content, expected.item, key_path)
    elif isinstance(expected, ListOf):
        yield from _list_problems(content, expected, key_path)
    elif isinstance(expected, MapOf):
        yield from _map_problems(content, expected, key_path)
    elif not isinstance(content, dict):
        yield f"{key_path or 'the description'}: it has to have the keys {', '.join(expected)}"
    else:
        yield from (
            f"{_join_keys(key_path, key)}: this key is missing"
            for key, item in expected.items()
            if key not in content and not isinstance(item, OptionalKey)
        )
        yield from (
            f"{_join_keys(key_path, printable_excerpt(key))}: there is no such key"
            for key in content
            if key not in expected
        )
        for key in [key for key in expected if key in content]:
            yield from value_problems(content[key], expected[key], _join_keys(key_path, key))


def _list_problems(content: Any, expected: ListOf, key_path: str) -> Iterator[Message]:
    if not isinstance(content, list) or not expected.min_length <= len(content) <= expected.max_length:
        yield (
            f"{key_path}: {printable_excerpt(content)} is not allowed; it has to be a list of {expected.min_length} to "
            f"{expected.max_length} items"
        )
        return
    for index, item in enumerate(content):
        yield from value_problems(item, expected.item, f"{key_path}[{index}]")


def _map_problems(content: Any, expected: MapOf, key_path: str) -> Iterator[Message]:
    if not isinstance(content, dict) or not expected.min_length <= len(content) <= expected.max_length:
        yield (
            f"{key_path}: {printable_excerpt(content)} is not allowed; it has to have {expected.min_length} to "
            f"{expected.max_length} keys"
        )
        return
    for key, value in content.items():
        if expected.key.test(key):
            yield from value_problems(value, expected.item, _join_keys(key_path, key))
        else:
            yield f"{_join_keys(key_path, printable_excerpt(key))}: a key has to be {expected.key.description}"


def printable_excerpt(value: Any) -> Message:
    """Return a value of an untrusted file in a form that is safe to print: short, without control characters."""
    return ascii(value)[:60]


def _join_keys(key_path: str, key: str) -> Message:
    return f"{key_path}.{key}" if key_path else key
