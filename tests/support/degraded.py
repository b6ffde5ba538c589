"""Turn prepared images into such as a scanner gives: a head around the brain, a rotated patient, thick slices.

Every function takes and returns NIfTI images. A position in the patient is a point in mm (RAS), as in the affines of
the images: where a function moves the patient, it returns the matrix (4, 4) of the motion.
"""

from itertools import product
from typing import Final

import nibabel
import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

HEAD_MARGIN_MM: Final = 24.0
"""Margin around the brain for fluid, skull, scalp and air."""
_FLUID_MM: Final = 2.0
_SKULL_MM: Final = 6.0
_SCALP_MM: Final = 7.0
_BRIGHTNESS: Final = {
    "t1": {"fluid": 0.3, "bone": 0.1, "marrow": 0.7, "fat": 1.6, "muscle": 0.6},
    "t1ce": {"fluid": 0.3, "bone": 0.1, "marrow": 0.8, "fat": 1.6, "muscle": 0.7},
    "t2": {"fluid": 1.6, "bone": 0.1, "marrow": 0.5, "fat": 1.1, "muscle": 0.35},
    "flair": {"fluid": 0.2, "bone": 0.1, "marrow": 0.5, "fat": 1.0, "muscle": 0.5},
}
"""Brightness of each tissue around the brain, in units of the median of the brain."""


def add_head(image, channel: str, *, noise: float = 0.03, seed: int = 0):
    """Return a brain-extracted image with fluid, skull, scalp, muscle, a neck and noisy air around the brain.

    The brain's voxels keep their values but for the noise. The grid is wider than the image's by `HEAD_MARGIN_MM`, at
    unchanged positions in mm.

    Args:
        image: brain-extracted image; its background is 0.
        channel: channel of the image, a key of the contrasts above.
        noise: standard deviation of the noise, in units of the brain's median.
        seed: of the noise and of the irregular thickness of the tissues.
    """
    rng = np.random.default_rng(seed)
    spacing = np.array(image.header.get_zooms()[:3], float)
    margin = np.ceil(HEAD_MARGIN_MM / spacing).astype(int)
    voxels = np.pad(np.asarray(image.dataobj, np.float32), [(side, side) for side in margin])
    affine = image.affine @ nibabel.affines.from_matvec(np.eye(3), -margin)
    brain = ndimage.binary_fill_holes(voxels != 0)
    unit = float(np.median(voxels[voxels != 0]))
    tissues = {name: unit * value for name, value in _BRIGHTNESS[channel].items()}
    outside_mm = ndimage.distance_transform_edt(~brain, sampling=spacing)
    outside_mm = outside_mm.astype(np.float32) * (1 + 0.15 * _smooth_noise(brain.shape, 20 / spacing, rng))
    head = ndimage.gaussian_filter(_tissues_around(brain, outside_mm, affine, tissues), 0.6 / spacing)
    head[brain] = voxels[brain]
    level = np.float32(noise * unit)
    first, second = (level * rng.standard_normal(head.shape, np.float32) for _ in range(2))
    return nibabel.Nifti1Image(np.hypot(head + first, second), affine)


def _tissues_around(
    brain: NDArray[np.bool_], outside_mm: NDArray[np.float32], affine: NDArray[np.float64], tissues: dict[str, float]
) -> NDArray[np.float32]:
    """Return the brightness of the tissues around a brain; air and brain are 0."""
    inside = apply_affine(affine, np.argwhere(brain))
    centre, low, high = inside.mean(axis=0), inside.min(axis=0), inside.max(axis=0)
    length = high - low
    x, y, z = (_coordinate(brain.shape, affine[axis]) - np.float32(centre[axis]) for axis in range(3))
    skull, scalp = _FLUID_MM + _SKULL_MM, _FLUID_MM + _SKULL_MM + _SCALP_MM
    head = np.zeros(brain.shape, np.float32)
    below = z < low[2] - centre[2] + 0.25 * length[2]
    neck_radius = np.hypot(x / (0.38 * length[0]), (y + 0.1 * length[1]) / (0.34 * length[1]))
    face_radius = np.sqrt((x / (0.36 * length[0])) ** 2 + ((y - 0.26 * length[1]) / (0.3 * length[1])) ** 2)
    for radius in (neck_radius, face_radius):
        head[below & (radius < 1)] = tissues["fat"]
        head[below & (radius < 0.88)] = tissues["muscle"]
    head[below & (face_radius < 0.4)] = 0  # nose and throat
    head[outside_mm < scalp] = tissues["fat"]
    head[outside_mm < skull + 0.35 * _SCALP_MM] = tissues["muscle"]
    head[outside_mm < skull] = tissues["bone"]
    diploe = (outside_mm > _FLUID_MM + 0.35 * _SKULL_MM) & (outside_mm < _FLUID_MM + 0.7 * _SKULL_MM)
    head[diploe] = tissues["marrow"]
    head[outside_mm < _FLUID_MM] = tissues["fluid"]
    head[brain] = 0
    return head


def _coordinate(shape: tuple[int, ...], row: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return a coordinate in mm of each voxel, from its row of the affine; it broadcasts to the shape."""
    indices = np.ogrid[tuple(slice(side) for side in shape)]
    terms = (np.float32(step) * index for step, index in zip(row[:3], indices, strict=True) if step)
    return sum(terms, np.float32(row[3]))


def _smooth_noise(shape: tuple[int, ...], sigma: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return smooth noise of standard deviation 1 at its nodes, which are `sigma` voxels apart."""
    nodes = rng.standard_normal([int(side / width) + 3 for side, width in zip(shape, sigma, strict=True)], np.float32)
    return ndimage.affine_transform(nodes, 1 / sigma, output_shape=shape, order=1)


def rotate(image, degrees: tuple[float, float, float], shift_mm: tuple[float, float, float] = (0, 0, 0)):
    """Return the image of a patient who lies rotated and shifted in the scanner. No voxel changes.

    Args:
        image: image of any content; all images of a patient need equal grids to be moved alike.
        degrees: rotation about the x, y and z axis of the scanner, about the centre of the grid.
        shift_mm: shift after the rotation.

    Returns:
        The image and the motion, a matrix (4, 4) from the patient's earlier points in mm to the present ones.
    """
    centre = apply_affine(image.affine, (np.array(image.shape[:3]) - 1) / 2)
    linear = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    motion = nibabel.affines.from_matvec(linear, centre - linear @ centre + shift_mm)
    return nibabel.Nifti1Image(np.asarray(image.dataobj), motion @ image.affine), motion


def thick_slices(image, spacing_mm: tuple[float, float, float] = (0.9, 0.9, 5.0), *, labels: bool = False):
    """Return an image on axial slices along the axes of the scanner, which cover all of its field of view.

    Args:
        image: image or mask, on any grid.
        spacing_mm: edges of the new voxels, from left to right, back to front and feet to head.
        labels: whether the image is a mask; a voxel then gets the label at its centre, else the mean over the slice.
    """
    corners = np.array(list(product(*[(0, side - 1) for side in image.shape[:3]])))
    points = apply_affine(image.affine, corners)
    low, high = points.min(axis=0), points.max(axis=0)
    shape = np.ceil((high - low) / spacing_mm).astype(int) + 1
    affine = nibabel.affines.from_matvec(np.diag(spacing_mm), low)
    voxels = np.asarray(image.dataobj)
    if labels:
        return nibabel.Nifti1Image(_sample(voxels, image.affine, affine, shape, order=0), affine)
    layers = max(1, round(spacing_mm[2] / min(image.header.get_zooms()[:3])))
    heights = (np.arange(layers) + 0.5) / layers - 0.5
    mean = sum(
        _sample(voxels.astype(np.float32), image.affine, _lifted(affine, height), shape, order=1) for height in heights
    )
    return nibabel.Nifti1Image((mean / layers).astype(np.float32), affine)


def _lifted(affine: NDArray[np.float64], slices: float) -> NDArray[np.float64]:
    """Return an affine whose grid lies higher by a part of a slice."""
    return affine @ nibabel.affines.from_matvec(np.eye(3), (0, 0, slices))


def _sample(voxels, affine, target, shape, *, order: int):
    """Return the voxels (X, Y, Z) of a grid at the voxels of another grid of `shape`; 0 outside the first."""
    step = np.linalg.inv(affine) @ target
    return ndimage.affine_transform(voxels, step[:3, :3], step[:3, 3], output_shape=tuple(shape), order=order)
