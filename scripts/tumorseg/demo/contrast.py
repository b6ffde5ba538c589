"""From tissue to the four modalities: mean intensities, how they vary, bias field, noise and scale.

Each modality is bias * sum over tissues of (fraction * mean), with Rician noise (Gudbjartsson & Patz 1995,
doi:10.1002/mrm.1910340618), stored as BraTS does: int16, brain only, background exactly 0.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.demo.anatomy import Anatomy
from tumorseg.demo.lookalikes import Lookalikes
from tumorseg.demo.randomness import smooth_field
from tumorseg.labels import MODALITIES

Field = NDArray[np.float32]

MEANS: Final = {
    # tissue: T1, T1CE, T2, FLAIR; white matter of T1 near 0.85
    "grey": (0.62, 0.64, 0.62, 0.70),
    "white": (0.85, 0.86, 0.45, 0.55),
    "csf": (0.25, 0.26, 1.00, 0.22),
    "lesion": (0.62, 0.63, 0.78, 0.92),
    "vessel": (0.55, 1.20, 0.72, 0.70),
    "oedema": (0.60, 0.61, 0.80, 0.92),
    "core": (0.40, 0.45, 0.92, 0.55),
    "enhancing": (0.56, 1.20, 0.76, 0.78),
}
"""Relative mean intensities; their order within a modality is that of clinical images."""
DETAIL: Final = (1.0, 1.0, -0.5, -0.4)
"""How the template's T1 detail within tissues shows in each modality."""

_TISSUE_JITTER: Final = 0.035
_TUMOUR_JITTER: Final = 0.05
_BIAS: Final = 0.05
_NOISE: Final = (0.05, 0.075)
_SCALE: Final = (300.0, 2500.0)
_LABEL_TISSUE: Final = {2: "oedema", 4: "enhancing", 1: "core"}
_LABEL_STRENGTH: Final = {2: (0.65, 1.0), 4: (0.8, 1.0), 1: (0.8, 1.0)}
"""How much of a labelled voxel its tumour tissue fills, at its least and most; the rest is what was there before."""


def acquired(
    anatomy: Anatomy,
    mask: NDArray[np.uint8],
    lookalikes: Lookalikes,
    spacing: float,
    *,
    contrast: np.random.Generator,
    noise: np.random.Generator,
) -> dict[str, NDArray[np.int16]]:
    """The four modalities of one examination, int16 (X, Y, Z), at least 1 in the brain and 0 outside it.

    `mask` holds inside labels. `contrast` draws means, bias and scale, `noise` the noise.
    """
    fractions = _fractions(anatomy, mask, lookalikes, spacing, contrast)
    return {
        modality: _image(anatomy, fractions, channel, spacing, contrast=contrast, noise=noise)
        for channel, modality in enumerate(MODALITIES)
    }


def _fractions(
    anatomy: Anatomy, mask: NDArray[np.uint8], lookalikes: Lookalikes, spacing: float, rng: np.random.Generator
) -> dict[str, Field]:
    """Volume fraction of each tissue; they sum to 1 in the brain. Later layers displace what lies below."""
    fractions = {"grey": anatomy.grey, "white": anatomy.white, "csf": anatomy.csf}
    layers = [("lesion", lookalikes.lesions), ("vessel", lookalikes.vessels)]
    for label, tissue in _LABEL_TISSUE.items():
        low, high = _LABEL_STRENGTH[label]
        wave = 0.5 + 0.5 * np.tanh(smooth_field(mask.shape, spacing, 15.0, rng))
        soft = ndimage.gaussian_filter((mask == label).astype(np.float32), 0.5)
        layers.append((tissue, soft * (low + (high - low) * wave)))
    for tissue, part in layers:
        fractions = {name: below * (1 - part) for name, below in fractions.items()}
        fractions[tissue] = part
    return fractions


def _image(
    anatomy: Anatomy,
    fractions: dict[str, Field],
    channel: int,
    spacing: float,
    *,
    contrast: np.random.Generator,
    noise: np.random.Generator,
) -> NDArray[np.int16]:
    tissues = {"grey", "white", "csf"}
    signal: Any = DETAIL[channel] * anatomy.detail * (fractions["grey"] + fractions["white"])
    for tissue, fraction in fractions.items():
        jitter = _TISSUE_JITTER if tissue in tissues else _TUMOUR_JITTER
        signal = signal + MEANS[tissue][channel] * np.exp(jitter * contrast.standard_normal()) * fraction
    signal = signal * np.exp(_BIAS * smooth_field(anatomy.brain.shape, spacing, 90.0, contrast))
    sigma = contrast.uniform(*_NOISE)
    real, imaginary = sigma * noise.standard_normal((2, *anatomy.brain.shape), dtype=np.float32)
    magnitude = np.hypot(signal + real, imaginary)
    scale = np.exp(contrast.uniform(*np.log(_SCALE)))
    stored = np.clip(np.rint(scale * magnitude), 1, np.iinfo(np.int16).max)
    return np.where(anatomy.brain, stored, 0).astype(np.int16)
