"""Generate random masks and pairs of masks from a seed."""

import numpy as np
from hypothesis import strategies as st
from scipy import ndimage

SPACINGS = [(1.0, 1.0, 1.0), (0.5, 0.5, 2.0), (0.9375, 0.9375, 1.5), (1.2, 0.7, 3.1)]

seeds = st.integers(0, 2**32 - 1)
spacings = st.sampled_from(SPACINGS)


def blob_pair(seed: int, max_side: int = 14):
    """Return two non-empty masks of noise or smooth blobs, sparse to nearly full, up to the edge of their grid."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, max_side + 1, 3)
    first, second = _blob(rng, shape), _blob(rng, shape)
    if rng.random() < 0.3:  # nearly equal masks
        second = first.copy()
        second.flat[rng.integers(second.size, size=3)] = True
    return first, second


def lesion_pair(seed: int, shape=(28, 24, 20)):
    """Return ellipsoids and a prediction of them with shifts, missing parts and false parts. Either may be empty."""
    rng = np.random.default_rng(seed)
    reference = np.zeros(shape, bool)
    for _ in range(rng.integers(6)):
        reference |= _ellipsoid(rng, shape)
    prediction = np.roll(reference, rng.integers(-2, 3, 3), axis=(0, 1, 2))
    for _ in range(rng.integers(3)):
        prediction &= ~_ellipsoid(rng, shape)
    for _ in range(rng.integers(4)):
        prediction |= _ellipsoid(rng, shape)
    return reference, prediction


def labelled_pair(seed: int, shape=(16, 14, 12)):
    """Return a reference with canonical labels, some of which may be missing, and a prediction of it."""
    rng = np.random.default_rng(seed)
    reference = np.zeros(shape, np.uint8)
    _paint(rng, reference, rng.integers(6), (1, 2, 4))
    prediction = np.roll(reference, rng.integers(-1, 2, 3), axis=(0, 1, 2))
    _paint(rng, prediction, rng.integers(4), (0, 1, 2, 4))
    return reference, prediction


def embed_in_grid(mask, offset, shape=(40, 40, 40)):
    """Return a mask in a larger grid, with its first voxel at `offset`."""
    larger = np.zeros(shape, mask.dtype)
    larger[tuple(slice(start, start + side) for start, side in zip(offset, mask.shape, strict=True))] = mask
    return larger


def _blob(rng, shape):
    noise = rng.random(shape)
    if (smooth := rng.choice([0, 0.7, 1.5])) > 0:
        noise = ndimage.gaussian_filter(noise, smooth, mode="nearest")
    return noise <= np.quantile(noise, rng.choice([0, 0.05, 0.2, 0.5, 0.8, 0.97, 1]))


def _ellipsoid(rng, shape):
    centre, radii = rng.uniform(0, shape), rng.uniform(0.6, 4.5, 3)
    places = np.stack(np.indices(shape), axis=-1)
    return (((places - centre) / radii) ** 2).sum(axis=-1) <= 1


def _paint(rng, mask, ellipsoids, labels):
    for _ in range(ellipsoids):
        mask[_ellipsoid(rng, mask.shape)] = rng.choice(labels)
