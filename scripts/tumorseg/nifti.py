"""Writing NIfTI-1 volumes: whole or not at all, and equal volumes as equal bytes."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from isal import igzip
from numpy.typing import ArrayLike, NDArray

from tumorseg.files import write_bytes


def write_nifti(path: Path, volume: NDArray[Any], affine: ArrayLike) -> None:
    """Write a volume (X, Y, Z), in its dtype, as `.nii.gz`. affine: voxel to millimetres (4, 4), as qform and sform."""
    image = nibabel.Nifti1Image(volume, np.asarray(affine, float))
    image.set_qform(image.affine, code=1)
    image.set_sform(image.affine, code=1)
    image.header.set_xyzt_units("mm", "sec")
    # No time and no file name in the gzip header: both would change the bytes.
    write_bytes(path, igzip.compress(image.to_bytes(), compresslevel=1, mtime=0))
