"""Write NIfTI-1 volumes atomically and reproducibly: equal volumes give equal bytes."""

from pathlib import Path
from typing import Any

import deflate
import nibabel
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorseg.io.files import write_bytes
from tumorseg.io.nifti_orientation import set_form_fields


def write_nifti(
    path: Path, volume: NDArray[Any], affine: ArrayLike, forms: dict[str, Any] | None = None, description: str = ""
) -> None:
    """Write a volume as `.nii.gz`.

    Args:
        path: file to write.
        volume: voxels (X, Y, Z), written in their dtype.
        affine: affine of the volume, (4, 4).
        forms: as for `nifti_bytes`.
        description: as for `nifti_bytes`.
    """
    write_bytes(path, nifti_bytes(volume, affine, forms=forms, description=description))


def nifti_bytes(
    volume: NDArray[Any],
    affine: ArrayLike,
    level: int = 6,
    *,
    forms: dict[str, Any] | None = None,
    description: str = "",
) -> bytes:
    """Return a gzipped NIfTI-1 file with both forms of its orientation, in millimetres.

    Neither the NIfTI header nor the gzip header holds a time or a name.

    Args:
        volume: voxels (X, Y, Z), written in their dtype.
        affine: voxel to millimetres, (4, 4); qform and sform are made from it.
        level: compression level of libdeflate, 1 to 12.
        forms: the fields of both forms (see `HeaderOrientation.forms`), written in place of those made from `affine`.
            The volume then overlays the image that they come from, whichever form a program reads.
        description: up to 79 ASCII characters for the header.

    Returns:
        The bytes of the file.
    """
    image: Any = nibabel.Nifti1Image(volume, None if forms else np.asarray(affine, float))  # type: ignore[no-untyped-call]
    if forms:
        set_form_fields(image.header, forms)
    else:
        image.set_qform(image.affine, code="scanner")
        image.set_sform(image.affine, code="scanner")
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = description.encode("ascii")
    # ISA-L is faster by 0.01 s a mask, but its bytes depend on the kind of processor: equal volumes written by two
    # machines of a cluster would differ.
    return bytes(deflate.gzip_compress(image.to_bytes(), level))
