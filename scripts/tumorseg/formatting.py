"""Text for people: counts with their nouns, lists of names, numbers, and cells of Markdown tables."""

from collections.abc import Sequence


def format_count(number: int, noun: str) -> str:
    """`1 case`, `1,253 cases`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def format_part(part: int, total: int, noun: str) -> str:
    """The beginning of a sentence about a part: `1 of 1 case is`, `2 of 3 cases are`."""
    return f"{part:,} of {format_count(total, noun)} {'is' if 1 in (part, total) else 'are'}"


def format_list(words: Sequence[str]) -> str:
    """`T1`, `T1 and T2`, `T1, T2 and FLAIR`; empty without a word."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


__all__ = ["format_count", "format_decimal"]


def format_decimal(number: float, decimals: int = 0) -> str:
    """`1,253`, `−11,844.0`: thousands set apart, a true minus sign, and none before what rounds to 0."""
    return f"{number:z,.{decimals}f}".replace("-", "−")


def format_markdown_cell(value: object) -> str:
    """Return a value as text for a cell of a table: on one line, with each `|` escaped, which would end the cell."""
    return " ".join(str(value).split()).replace("|", "\\|")
