"""Long arrays worked on piece by piece, so that no intermediate result is as large as the whole."""

from collections.abc import Iterator
from typing import Final

PIECE: Final = 2**20


def pieces(size: int) -> Iterator[slice]:
    """Consecutive parts of an array of `size` elements, each of `PIECE` elements but for the last."""
    return (slice(start, start + PIECE) for start in range(0, size, PIECE))
