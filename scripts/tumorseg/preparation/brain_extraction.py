"""Extract the brain from an image of the head with deepbet.

References:
    Fisch et al. 2024, deepbet: Fast brain extraction of T1-weighted MRI using Convolutional Neural Networks,
    doi:10.1016/j.compbiomed.2024.108845
"""

import nibabel
import numpy as np
import torch
from deepbet import BrainExtraction
from numpy.typing import NDArray

from tumorseg.io.volume import Volume


def extract_brain(volume: Volume, threads: int) -> NDArray[np.bool_] | None:
    """Return the brain in an image of a head, computed on the CPU.

    The networks come with the package; nothing is downloaded. The mask is not dilated: on the T1CE of seven BraTS 2021
    cases in a synthetic head it has a Dice of 0.968 to 0.980 with the published brain, and keeps 0.992 to 1 of the
    whole tumour and all of the enhancing tumour. A dilation by 1 mm lowers the Dice in five of them.

    Args:
        volume: the image, 3D, with or without the skull.
        threads: number of CPU threads.

    Returns:
        The mask (X, Y, Z) on the grid of the image: one connected part without holes. None if the networks find no
        brain.
    """
    torch.set_num_threads(threads)
    image = nibabel.Nifti1Image(volume.array.astype(np.float32), volume.affine)  # type: ignore[no-untyped-call]
    try:
        _, mask, _ = BrainExtraction(no_gpu=True).run(image)
    except (AssertionError, ValueError):  # what deepbet raises if its first network marks no voxel, or few
        return None
    found: NDArray[np.bool_] = np.asarray(mask.dataobj) > 0
    return found if found.any() else None
