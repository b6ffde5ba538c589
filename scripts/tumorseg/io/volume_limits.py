"""Limits that keep memory small: the largest volume and file that are read, and long arrays processed in chunks.

Planning imports this module: it imports no other.
"""

from collections.abc import Iterator
from typing import Final

DEFAULT_MAX_VOXELS: Final = 2**26
"""Voxels that a volume may have where the caller sets no limit, as the default of `cohort.max_voxels`."""
MAX_HEADER_BYTES: Final = 2**24
"""Bytes of the longest header."""
_MAX_VOXEL_BYTES: Final = 8


def max_file_bytes(max_voxels: int) -> int:
    """Return the bytes that a file with so many voxels may have, the widest voxels and the longest header assumed."""
    return max_voxels * _MAX_VOXEL_BYTES + MAX_HEADER_BYTES


CHUNK_SIZE: Final = 2**20
CACHED_CHUNK_SIZE: Final = 2**18
"""Of so many voxels, even the processor's cache holds a piece: two passes over it cost little more than one."""


def chunks(size: int, length: int = CHUNK_SIZE) -> Iterator[slice]:
    """Consecutive parts of an array of `size` elements, each of `length` elements but for the last."""
    return (slice(start, start + length) for start in range(0, size, length))
