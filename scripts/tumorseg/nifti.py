"""Writing NIfTI-1 volumes: whole or not at all, and equal volumes as equal bytes."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from isal import igzip
from numpy.typing import ArrayLike, NDArray

from tumorseg.files import write_bytes


def write_nifti(path: Path, volume: NDArray[Any], affine: ArrayLike) -> None:
    """Write a volume (X, Y, Z), in its dtype, as `.nii.gz`. affine: voxel to millimetres, (4, 4)."""
    write_bytes(path, nifti_bytes(volume, affine))


def nifti_bytes(volume: NDArray[Any], affine: ArrayLike) -> bytes:
    """A gzipped NIfTI-1 file with both forms of the affine, in millimetres; its header holds neither time nor name."""
    image: Any = nibabel.Nifti1Image(volume, np.asarray(affine, float))  # type: ignore[no-untyped-call]
    image.set_qform(image.affine, code="scanner")
    image.set_sform(image.affine, code="scanner")
    image.header.set_xyzt_units("mm")
    # ISA-L writes a file in a seventh of zlib's time. Equal bytes need the same kind of processor; the voxels never do.
    compressed: bytes = igzip.compress(image.to_bytes(), compresslevel=1, mtime=0)
    return compressed
