"""Read images of scanners, which may be finer than the cases that are trained on."""

from pathlib import Path
from typing import Final

from tumorseg.io.volume import Volume, read_volume
from tumorseg.io.volume_errors import VolumeError

MAX_VOXELS: Final = 2**28
"""Most voxels of an image. All steps share it, so that none refuses what an earlier one has accepted."""


def read_scanner_image(path: Path) -> Volume:
    """Return an image of a scanner, a mask on its grid, or what a step made of them.

    Raises:
        VolumeError: the file is not a valid volume, or has more than `MAX_VOXELS` voxels (`image_too_large`).
    """
    try:
        return read_volume(path, MAX_VOXELS)
    except VolumeError as error:
        if error.code == "too_large":  # its message names a setting of cohorts, which does not help here
            message = f"it has more than {MAX_VOXELS:,} voxels; resample or crop it, or use another image"
            raise VolumeError("image_too_large", message, error.size_bytes) from None
        raise
