"""Volume fractions of all tissues of a case, with soft borders, and the texture of each tumour tissue."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.demo.lookalikes import Lookalikes
from tumorseg.demo.random_fields import smooth_field
from tumorseg.synthetic.brain_outline import StrippedHead
from tumorseg.synthetic.tissues import Tissue
from tumorseg.synthetic.tumours import Tumours

Field = NDArray[np.float32]

_BLUR_VOXELS: Final = {
    Tissue.OEDEMA: (0.4, 1.5),
    Tissue.SOLID: (0.4, 1.2),
    Tissue.FLUID: (0.4, 0.9),
    Tissue.BLOOD: (0.4, 1.0),
    Tissue.ENHANCING: (0.3, 0.6),
    Tissue.CAVITY: (0.3, 0.6),
}
"""Lowest and highest blur of the border of each tissue; later ones displace earlier ones."""
_LEAST_FILLED: Final = {Tissue.OEDEMA: (0.35, 1.0), Tissue.ENHANCING: (0.55, 1.0)}
"""Range of the least fraction of a voxel that the tissue fills; healthy tissue fills the rest. Others: 0.8 to 1."""
_TEXTURE_SCALES_MM: Final = (8.0, 18.0, 40.0)


def tissue_fractions(
    head: StrippedHead, tumours: Tumours, lookalikes: Lookalikes, spacing_mm: float, rng: np.random.Generator
) -> dict[str, Field]:
    """Return the volume fraction of each tissue (X, Y, Z); the fractions sum to 1 in the brain and to 0 outside.

    Args:
        head: the head after skull stripping.
        tumours: the patient's tumours.
        lookalikes: tissue of the patient that looks like tumour.
        spacing_mm: edge of a voxel.
        rng: generator of borders and strengths.
    """
    anatomy = head.anatomy
    fractions: dict[str, Field] = {"grey": anatomy.grey, "white": anatomy.white, "csf": anatomy.csf}
    layers: list[tuple[str, Field]] = [
        ("lesion", lookalikes.lesions * np.float32(rng.uniform(0, 1) if rng.random() < 0.7 else 0)),
        ("vessel", lookalikes.vessels * np.float32(rng.uniform(0.1, 1))),
        ("remnant", head.remnants.astype(np.float32)),
    ]
    shape: tuple[int, int, int] = anatomy.brain.shape
    for tissue, blur_voxels in _BLUR_VOXELS.items():
        where = tumours.tissue == tissue
        if not where.any():
            continue
        soft = ndimage.gaussian_filter(where.astype(np.float32), rng.uniform(*blur_voxels))
        least = rng.uniform(*_LEAST_FILLED.get(tissue, (0.8, 1.0)))
        wave = 0.5 + 0.5 * np.tanh(smooth_field(shape, spacing_mm, 15.0, rng))
        layers.append((tissue.name.lower(), soft * (least + (1 - least) * wave)))
    for name, layer in layers:
        fractions = {tissue: fraction * (1 - layer) for tissue, fraction in fractions.items()}
        fractions[name] = layer * anatomy.brain
    return fractions


class Textures:
    """Random textures of tumour tissues, shared by the channels of a case.

    Args:
        tumours: the patient's tumours.
        spacing_mm: edge of a voxel.
        rng: generator of the fields.
    """

    def __init__(self, tumours: Tumours, spacing_mm: float, rng: np.random.Generator) -> None:
        shape: tuple[int, int, int] = tumours.tissue.shape
        self._fields = [smooth_field(shape, spacing_mm, scale, rng) for scale in _TEXTURE_SCALES_MM]
        self._edge = np.exp(-tumours.core_depth_mm / np.float32(rng.uniform(2, 6))) * (tumours.core_depth_mm > 0)
        reach = (
            max(float(np.quantile(tumours.core_distance_mm[tumours.tissue == Tissue.OEDEMA], 0.9)), 4.0)
            if (tumours.tissue == Tissue.OEDEMA).any()
            else 4.0
        )
        self._fading = np.clip(tumours.core_distance_mm / np.float32(reach), 0, 1.5)

    def draw(self, tissue: str, rng: np.random.Generator) -> Field | float:
        """Return the factor of a tissue's mean in each voxel of a channel (X, Y, Z); 1 for healthy tissue.

        Args:
            tissue: name of the tissue.
            rng: generator of the strengths.
        """
        if tissue.upper() not in Tissue.__members__:
            return 1.0
        strength = rng.uniform(0.02, 0.16)
        weights = rng.dirichlet(np.ones(len(self._fields)))
        change = sum(
            np.float32(strength * weight * rng.choice([-1, 1])) * field
            for weight, field in zip(weights, self._fields, strict=True)
        )
        if tissue == "oedema":
            change = change - np.float32(rng.uniform(0, 0.35)) * self._fading
        if tissue in ("solid", "fluid") and rng.random() < 0.35:
            change = change + np.float32(rng.uniform(-0.15, 0.5)) * self._edge
        factor: Field = np.exp(change)
        return factor
