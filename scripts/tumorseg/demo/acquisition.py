"""Simulate the channels of a task from tissue fractions.

In each channel, the intensity of a voxel is bias * sum over tissues of (fraction * mean), with Rician noise. Images are
stored as in BraTS: int16, skull-stripped, background exactly 0.

References:
    Gudbjartsson & Patz 1995, doi:10.1002/mrm.1910340618
"""

import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorseg.demo.anatomy import Anatomy
from tumorseg.demo.lookalikes import Lookalikes
from tumorseg.demo.random_fields import smooth_field
from tumorseg.task import Task

Field = NDArray[np.float32]

CHANNELS: Final = ("t1", "t1ce", "t2", "flair")
"""Channels with known contrast. Other channels get a random contrast, seeded by their name."""
TISSUE_MEANS: Final = {
    # one mean per channel, in the order of CHANNELS
    "grey": (0.62, 0.64, 0.62, 0.70),
    "white": (0.85, 0.86, 0.45, 0.55),
    "csf": (0.25, 0.26, 1.00, 0.22),
    "lesion": (0.62, 0.63, 0.78, 0.92),
    "vessel": (0.55, 1.20, 0.72, 0.70),
    "oedema": (0.60, 0.61, 0.80, 0.92),
    "necrosis": (0.40, 0.45, 0.92, 0.55),
    "enhancing": (0.56, 1.20, 0.76, 0.78),
    "tumour": (0.56, 1.20, 0.76, 0.78),
    "cyst": (0.30, 0.31, 0.99, 0.36),
    "cavity": (0.27, 0.28, 1.00, 0.24),
}
"""Relative mean intensities; within a channel, tissues are ordered as in clinical images."""
DETAIL_WEIGHTS: Final = (1.0, 1.0, -0.5, -0.4)
"""Weight of the template's T1 detail in each channel."""

_TISSUE_JITTER: Final = 0.035
_TUMOUR_JITTER: Final = 0.05
_BIAS_STRENGTH: Final = 0.05
_NOISE_SIGMA: Final = (0.05, 0.075)
_INTENSITY_SCALE: Final = (300.0, 2500.0)
_FILL_FRACTION: Final = {
    "oedema": (0.65, 1.0),
    "enhancing": (0.8, 1.0),
    "tumour": (0.8, 1.0),
    "other": (0.8, 1.0),
    "necrosis": (0.8, 1.0),
    "cyst": (0.9, 1.0),
    "cavity": (0.9, 1.0),
}
"""Lowest and highest fraction of a labelled voxel that its tumour tissue fills; healthy tissue fills the rest.

The tissues are in the order of simulation: later ones displace earlier ones.
"""


def simulate_acquisition(
    anatomy: Anatomy,
    mask: NDArray[np.uint8],
    lookalikes: Lookalikes,
    spacing_mm: float,
    *,
    task: Task,
    contrast: np.random.Generator,
    noise: np.random.Generator,
) -> dict[str, NDArray[np.int16]]:
    """Simulate the images of one examination.

    Args:
        anatomy: the patient's anatomy.
        mask: labels of the task (X, Y, Z).
        lookalikes: tissue of the patient that looks like tumour.
        spacing_mm: edge of a voxel.
        task: its channels are simulated.
        contrast: generator of means, bias fields and scales.
        noise: generator of the noise.

    Returns:
        Image by channel, (X, Y, Z): at least 1 in the brain, and 0 outside.
    """
    fractions = _tissue_fractions(anatomy, mask, lookalikes, spacing_mm, task=task, rng=contrast)
    return {
        channel: _simulate_channel(anatomy, fractions, channel, spacing_mm, contrast=contrast, noise=noise)
        for channel in task.channel_names
    }


def _tissue_fractions(
    anatomy: Anatomy,
    mask: NDArray[np.uint8],
    lookalikes: Lookalikes,
    spacing_mm: float,
    *,
    task: Task,
    rng: np.random.Generator,
) -> dict[str, Field]:
    """Return the volume fraction of each tissue; the fractions sum to 1 in the brain."""
    fractions = {"grey": anatomy.grey, "white": anatomy.white, "csf": anatomy.csf}
    layers = [("lesion", lookalikes.lesions), ("vessel", lookalikes.vessels)]
    strengths = [
        (label, strength)
        for meaning, strength in _FILL_FRACTION.items()
        for label in task.labels
        if label.meaning == meaning
    ]
    for label, (low, high) in strengths:
        wave = 0.5 + 0.5 * np.tanh(smooth_field(mask.shape, spacing_mm, 15.0, rng))
        soft = ndimage.gaussian_filter((mask == label.value).astype(np.float32), 0.5)
        layers.append((f"{label.meaning} {label.value}", soft * (low + (high - low) * wave)))
    for tissue, layer in layers:  # a layer displaces those before it
        fractions = {name: fraction * (1 - layer) for name, fraction in fractions.items()}
        fractions[tissue] = layer
    return fractions


def _simulate_channel(
    anatomy: Anatomy,
    fractions: dict[str, Field],
    channel: str,
    spacing_mm: float,
    *,
    contrast: np.random.Generator,
    noise: np.random.Generator,
) -> NDArray[np.int16]:
    healthy_tissues = {"grey", "white", "csf"}
    signal: Any = _mean_intensity(channel, "detail") * anatomy.detail * (fractions["grey"] + fractions["white"])
    for tissue, fraction in fractions.items():
        jitter = _TISSUE_JITTER if tissue in healthy_tissues else _TUMOUR_JITTER
        signal = signal + _mean_intensity(channel, tissue) * np.exp(jitter * contrast.standard_normal()) * fraction
    signal = signal * np.exp(_BIAS_STRENGTH * smooth_field(anatomy.brain.shape, spacing_mm, 90.0, contrast))
    sigma = contrast.uniform(*_NOISE_SIGMA)
    real, imaginary = sigma * noise.standard_normal((2, *anatomy.brain.shape), dtype=np.float32)
    magnitude = np.hypot(signal + real, imaginary)
    scale = np.exp(contrast.uniform(*np.log(_INTENSITY_SCALE)))
    stored = np.clip(np.rint(scale * magnitude), 1, np.iinfo(np.int16).max)
    return np.where(anatomy.brain, stored, 0).astype(np.int16)


def _mean_intensity(channel: str, tissue: str) -> float:
    """Return the mean intensity of a tissue, or the weight of "detail". A tissue may have its label as a suffix."""
    levels = DETAIL_WEIGHTS if tissue == "detail" else TISSUE_MEANS.get(tissue.partition(" ")[0])
    if levels is not None and channel in CHANNELS:
        return levels[CHANNELS.index(channel)]
    drawn = np.random.default_rng(zlib.crc32(f"{channel} {tissue}".encode()))
    return float(drawn.uniform(0.25, 1.15))
