"""Numbers of things and lists of names in words."""

from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """`1 case`, `1,253 cases`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def part_is(part: int, whole: int, noun: str) -> str:
    """The beginning of a sentence about a part: `1 of 1 case is`, `2 of 3 cases are`."""
    return f"{part:,} of {counted(whole, noun)} {'is' if 1 in (part, whole) else 'are'}"


def listed(words: Sequence[str]) -> str:
    """`T1`, `T1 and T2`, `T1, T2 and FLAIR`; empty without a word."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
