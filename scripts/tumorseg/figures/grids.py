"""Panels in rows of no more than fit side by side, and names in lines of no more than fit below a tick."""

from collections.abc import Iterator, Sequence
from math import ceil
from textwrap import wrap
from typing import TypeVar

T = TypeVar("T")


def in_rows(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Yield the items in as few rows of at most `most` as they need, all but the last of equal length."""
    length = ceil(len(items) / ceil(len(items) / most))
    for first in range(0, len(items), length):
        yield items[first : first + length]


def in_lines(name: str, characters: int) -> str:
    """A name in lines of at most so many characters; longer words stay whole."""
    return "\n".join(wrap(name, max(1, characters), break_long_words=False, break_on_hyphens=False))
