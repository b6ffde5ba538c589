"""Format counts, lists of names, numbers and cells of Markdown tables for people."""

from collections.abc import Sequence


def format_count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 case`, `1,253 cases`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def format_part(part: int, total: int, noun: str) -> str:
    """Return the start of a sentence about a part of a total: `1 of 1 case is`, `2 of 3 cases are`."""
    return f"{part:,} of {format_count(total, noun)} {'is' if 1 in (part, total) else 'are'}"


def format_list(words: Sequence[str]) -> str:
    """Return words as a list: `T1`, `T1 and T2`, `T1, T2 and FLAIR`; empty if there are none."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def format_decimal(number: float, decimals: int = 0) -> str:
    """Return a number as `1,253` or `−11,844.0`: with a minus sign instead of a hyphen, and never as `−0`."""
    return f"{number:z,.{decimals}f}".replace("-", "−")


def format_markdown_cell(value: object) -> str:
    """Return a value as the text of a table cell: on one line and with `|` escaped, which would end the cell."""
    return " ".join(str(value).split()).replace("|", "\\|")


def format_p(value: float) -> str:
    """Return a p value with three decimals, or `<0.001`; never 0."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"
