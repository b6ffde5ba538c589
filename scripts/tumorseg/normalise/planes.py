"""Some planes of a normalised case, where reading it whole would cost too much."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from tumorseg.normalise.store import header_of, refusing_damage


def read_planes(path: Path, step: int) -> NDArray[np.float16]:
    """Every `step`-th plane across the first axis of the image, from the middle of what is left over.

    Returns float16 (channels, planes, y, z), one plane at least. Only these planes are read, so that the file's digest
    is not checked. Raises UserError where the file is unreadable or holds another case.
    """
    with refusing_damage(path), safe_open(path, framework="numpy") as file:
        header_of(path, file)
        image = file.get_slice("image")
        size = image.get_shape()[1]
        planes = [image[:, plane : plane + 1] for plane in range((size - 1) % step // 2, size, step)]
    chosen: NDArray[np.float16] = np.concatenate(planes, axis=1)
    return chosen
