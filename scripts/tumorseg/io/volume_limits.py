"""Limit memory: the largest volume and file that are read, and the size of chunks of long arrays.

Planning imports this module, so it imports no other.
"""

from collections.abc import Iterator
from typing import Final

DEFAULT_MAX_VOXELS: Final = 2**26
"""Most voxels of a volume if the caller sets no limit; also the default of `cohort.max_voxels`."""
MAX_HEADER_BYTES: Final = 2**24
"""Bytes of the longest header that is read."""
_MAX_VOXEL_BYTES: Final = 8


def max_file_bytes(max_voxels: int) -> int:
    """Return the bytes of the largest file of `max_voxels` voxels: widest data type, longest header."""
    return max_voxels * _MAX_VOXEL_BYTES + MAX_HEADER_BYTES


CHUNK_SIZE: Final = 2**20
CACHED_CHUNK_SIZE: Final = 2**18
"""A chunk of this many voxels fits the processor's cache: two passes over it cost little more than one."""


def chunks(size: int, length: int = CHUNK_SIZE) -> Iterator[slice]:
    """Yield consecutive slices of an array of `size` elements, each of `length` elements except the last."""
    return (slice(start, start + length) for start in range(0, size, length))
