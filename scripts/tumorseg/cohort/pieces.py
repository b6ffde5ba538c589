"""Long arrays worked on piece by piece, so that no intermediate result is as large as the whole."""

from collections.abc import Iterator
from typing import Final

PIECE: Final = 2**20
CACHED_PIECE: Final = 2**18
"""Of so many voxels, even the processor's cache holds a piece: two passes over it cost little more than one."""


def pieces(size: int, length: int = PIECE) -> Iterator[slice]:
    """Consecutive parts of an array of `size` elements, each of `length` elements but for the last."""
    return (slice(start, start + length) for start in range(0, size, length))
