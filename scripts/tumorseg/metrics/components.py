"""The connected components of a mask."""

import cc3d
import numpy as np
from numpy.typing import NDArray


def connected_components(mask: NDArray[np.bool_]) -> tuple[NDArray[np.unsignedinteger], int]:
    """Return the number of the component of each voxel, and how many components there are.

    Voxels that share a face, an edge or a corner belong to the same component (26-connectivity). Components are
    numbered from 1 in the order of their first voxels.

    Args:
        mask: bool (X, Y, Z).

    Returns:
        The number of the component of each voxel, unsigned integers (X, Y, Z), 0 outside the mask; and the count.

    Example:
        >>> connected_components(np.array([[[True, False, True]]]))
        (array([[[1, 0, 2]]], dtype=uint16), 2)
    """
    # Padded: in thin arrays cc3d 4.1 expects fewer components than there can be, and raises RuntimeError.
    numbers, count = cc3d.connected_components(np.pad(mask, 1), connectivity=26, return_N=True)
    return np.ascontiguousarray(numbers[1:-1, 1:-1, 1:-1]), count
