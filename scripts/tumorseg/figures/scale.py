"""Lengths for scale bars."""

from math import floor, log10


def round_length(limit: float) -> float:
    """The longest of 1, 2, 5, 10, 20, 50, … mm, and of their tenths and so on, that is no longer than `limit` mm."""
    power = 10.0 ** floor(log10(limit))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= limit)


def length_label(length: float) -> str:
    """`length` mm in words: in centimetres from one centimetre on."""
    return f"{length / 10:g} cm" if length >= 10 else f"{length:g} mm"
