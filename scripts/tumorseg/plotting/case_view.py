"""Cases as figures show them: volumes in display orientation, and the slices to show."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tumorseg.orientation import DISPLAY_AXES, reorient, reoriented_affine, reoriented_spacing_mm
from tumorseg.plotting.slices import (
    Plane,
    slice_selection_mask,
    slices_with_most_errors,
    slices_with_most_tumour,
)
from tumorseg.preprocessing.crop import cropped_affine
from tumorseg.preprocessing.store import Origin
from tumorseg.task import Task


@dataclass(frozen=True, eq=False)
class CaseView:
    """A case with its volumes on the cropped grid, reoriented to the axes (L, P, I).

    Attributes:
        case: the case id.
        title: the line above its panels.
        scores: scores by structure, then by column of results/evaluation/cases.csv; None without a reference.
        image: normalised channels, float16 (channels, L, P, I).
        brain: the brain mask, bool (L, P, I).
        reference: labels of the task, uint8 (L, P, I), or None.
        prediction: labels of the task, uint8 (L, P, I), or None.
        spacing_mm: edges of a voxel.
        affine: voxel indices to patient coordinates in mm, (4, 4).
        slices: the index of the slice to show in each plane.
    """

    case: str
    title: str
    scores: Mapping[str, Mapping[str, float]] | None
    image: NDArray[np.float16]
    brain: NDArray[np.bool_]
    reference: NDArray[np.uint8] | None
    prediction: NDArray[np.uint8] | None
    spacing_mm: tuple[float, float, float]
    affine: NDArray[np.float64]
    slices: dict[Plane, int]

    @property
    def dice(self) -> dict[str, float] | None:
        """Dice by structure; None without a reference."""
        return None if self.scores is None else {name: columns["dice"] for name, columns in self.scores.items()}

    def mask(self, which: str) -> NDArray[np.uint8]:
        """Return a mask of the case, uint8 (L, P, I).

        Args:
            which: `reference` or `prediction`.

        Raises:
            ValueError: the case was read without this mask.
        """
        mask = self.reference if which == "reference" else self.prediction
        if mask is None:
            raise ValueError(f"{self.case} was read without its {which}")
        return mask

    def at_largest_error(self) -> "CaseView":
        """Return the case showing the slices in which most voxels differ between reference and prediction.

        Raises:
            ValueError: the case was read without one of the masks.
        """
        slices = slices_with_most_errors(self.mask("reference"), self.mask("prediction"), self.slices)
        return replace(self, slices=slices)


def make_case_view(
    origin: Origin,
    image: NDArray[np.float16],
    *,
    task: Task,
    title: str,
    scores: Mapping[str, Mapping[str, float]] | None,
    reference: NDArray[np.uint8] | None,
    prediction: NDArray[np.uint8] | None,
) -> CaseView:
    """Return a case for figures, showing the slices with the most tumour, see `slice_selection_mask`.

    Args:
        origin: the grid of the normalised case.
        image: normalised channels on the cropped grid, float16 (channels, x, y, z).
        task: defines the channels, labels and regions.
        title: the line above its panels.
        scores: scores by structure, then by column; None without a reference.
        reference: labels of the task, uint8 (x, y, z), or None.
        prediction: labels of the task, uint8 (x, y, z), or None.

    Returns:
        The case with its volumes in display orientation.
    """
    affine = cropped_affine(origin)
    reference, prediction = (None if mask is None else reorient(mask, affine) for mask in (reference, prediction))
    brain = reorient((image != 0).any(axis=0), affine)
    return CaseView(
        case=origin.case,
        title=title,
        scores=scores,
        image=np.stack([reorient(channel, affine) for channel in image]),
        brain=brain,
        reference=reference,
        prediction=prediction,
        spacing_mm=reoriented_spacing_mm(affine),
        affine=reoriented_affine(affine, image.shape[1:], DISPLAY_AXES),
        slices=slices_with_most_tumour(slice_selection_mask(reference, prediction, task=task, shape=brain.shape)),
    )
