"""How large a volume and its file may be. Planning imports this: it needs no nibabel or SciPy."""

from typing import Final

LARGEST_VOXELS: Final = 2**26
"""Voxels that a volume may have where the caller sets no limit, as the default of `cohort.max_voxels`."""
LARGEST_OFFSET: Final = 2**24
"""Bytes of the longest header."""
_LARGEST_VOXEL_BYTES: Final = 8


def largest_file(largest_voxels: int) -> int:
    """Return the bytes that a file with so many voxels may have, the widest voxels and the longest header assumed."""
    return largest_voxels * _LARGEST_VOXEL_BYTES + LARGEST_OFFSET
