"""The exact shape of a region of pixels: its squares and its border, with no smoothing that would flatter a mask.

Coordinates are pixel edges: the square of pixel (row, column) runs from (column, row) to (column + 1, row + 1).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, label, maximum_position


def squares(region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The closed outline of each pixel of a bool (rows, columns) region: (n, 5, 2), points as (x, y)."""
    rows, columns = np.nonzero(region)
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], dtype=np.float64)
    return np.stack([columns, rows], axis=-1)[:, None, :] + corners


def border(region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The pixel edges between a bool (rows, columns) region and what is outside: (n, 2, 2), two points (x, y) each."""
    padded = np.pad(region, 1)
    rows, columns = np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1])
    horizontal = np.stack([np.stack([columns, rows], -1), np.stack([columns + 1, rows], -1)], axis=1)
    rows, columns = np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1])
    vertical = np.stack([np.stack([columns, rows], -1), np.stack([columns, rows + 1], -1)], axis=1)
    return np.concatenate([horizontal, vertical]).astype(np.float64)


def deepest(region: NDArray[np.bool_], pixel: tuple[float, float]) -> list[tuple[NDArray[np.float64], float]]:
    """For each piece of a bool (rows, columns) region the middle (x, y) of its deepest pixel, and its depth.

    pixel: height and width of a pixel. depth: from there to the middle of the nearest pixel outside, in the same unit.
    Pieces hang together by edges. Of equally deep pixels it is the first.
    """
    depths = distance_transform_edt(np.pad(region, 1), sampling=pixel)[1:-1, 1:-1]
    pieces, count = label(region)
    places = maximum_position(depths, pieces, range(1, count + 1))
    return [(np.array([column + 0.5, row + 0.5]), float(depths[row, column])) for row, column in places]
