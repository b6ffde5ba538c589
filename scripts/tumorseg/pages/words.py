"""How pages, and messages like theirs, put numbers into words."""


def counted(number: int, noun: str) -> str:
    """`1 case`, `1,253 cases`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def decimal(number: float, decimals: int = 0) -> str:
    """`1,253`, `−11,844.0`: thousands set apart, a true minus sign, and none before what rounds to 0."""
    return f"{number:z,.{decimals}f}".replace("-", "−")
