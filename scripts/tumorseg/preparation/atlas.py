"""The atlas of a task: the brain image that patients are registered to, and its grid.

References:
    Fonov et al. 2011, doi:10.1016/j.neuroimage.2010.07.033 (ICBM 2009a nonlinear symmetric, "MNI152")
    Rohlfing et al. 2010, doi:10.1002/hbm.20906 (SRI24)
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nilearn
import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.background import border_voxels
from tumorseg.errors import UserError
from tumorseg.geometry import format_shape
from tumorseg.io.volume import read_volume
from tumorseg.io.volume_errors import VolumeError
from tumorseg.preparation.sampling import Image

MNI152: Final = "mni152"
_MNI152_FILE: Final = "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
_BRAIN_ML: Final = (800.0, 2400.0)
"""Smallest and largest volume of the brain of an atlas; that of MNI152 has 1,890 ml, of SRI24 1,500 ml."""
_REMEDY: Final = "set segment.atlas to mni152, or to a T1 image of a brain whose background is 0"


@dataclass(frozen=True, eq=False)
class Atlas:
    """A brain on the grid that patients are resampled to.

    Attributes:
        name: `mni152`, or the name of the user's file.
        image: T1 image of the brain, float32; 0 outside it.
        brain: the voxels of the brain, bool.
    """

    name: str
    image: Image
    brain: NDArray[np.bool_]


def load_atlas(name: str) -> Atlas:
    """Return an atlas.

    Args:
        name: `mni152` for the template at 1 mm that the package nilearn contains, or the path of a NIfTI file with a
            T1 image of a brain without skull, such as SRI24.

    Raises:
        UserError: the file is missing, corrupted, or does not show a brain on a background of 0.
    """
    path = Path(name).expanduser()
    if name == MNI152:
        path = Path(nilearn.__path__[0]) / "datasets" / "data" / _MNI152_FILE
    try:
        volume = read_volume(path)
    except VolumeError as error:
        raise UserError(f"{path}: this atlas cannot be used: {error.message}; {_REMEDY}") from None
    if volume.array.ndim != 3:
        raise UserError(f"{path}: the atlas is {format_shape(volume.shape)} but must be 3D; {_REMEDY}")
    if not volume.oriented:
        raise UserError(f"{path}: the header of the atlas gives no orientation; {_REMEDY}")
    image = Image(volume.array.astype(np.float32), volume.affine)
    brain = image.array > 0
    volume_ml = float(brain.sum() * np.prod(image.spacing_mm) / 1000)
    if border_voxels(brain).mean() > 0.05 or not _BRAIN_ML[0] <= volume_ml <= _BRAIN_ML[1]:
        raise UserError(
            f"{path}: the atlas does not show a brain without skull ({volume_ml:,.0f} ml are not 0); {_REMEDY}"
        )
    return Atlas(MNI152 if name == MNI152 else path.name, image, brain)
