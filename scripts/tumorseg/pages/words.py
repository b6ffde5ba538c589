"""How pages, and messages like theirs, put numbers into words."""


def counted(number: int, noun: str) -> str:
    """`1 case`, `1,253 cases`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
