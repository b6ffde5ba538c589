"""How pages, and messages like theirs, put numbers into words."""

from tumorseg.counts import counted

__all__ = ["counted", "decimal"]


def decimal(number: float, decimals: int = 0) -> str:
    """`1,253`, `−11,844.0`: thousands set apart, a true minus sign, and none before what rounds to 0."""
    return f"{number:z,.{decimals}f}".replace("-", "−")
