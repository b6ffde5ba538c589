"""A case as figures show it: its volumes in display orientation, and the slices to show."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorseg.orientation import DISPLAY_AXES, reorient, reoriented_affine, reoriented_spacing_mm
from tumorseg.plotting.slices import Plane, slice_selection_mask, slices_with_most_tumour
from tumorseg.preprocessing.crop import cropped_affine
from tumorseg.preprocessing.store import Origin
from tumorseg.task import Task


@dataclass(frozen=True, eq=False)
class CaseView:
    """A case with its volumes, all turned to L, P, I and on the cropped grid.

    title: one line above its panels. scores: by structure, then by column of results/evaluation/cases.csv; None where
    there is no reference. image: float16 (channels, x, y, z), normalised. brain: bool (x, y, z). reference, prediction:
    uint8 (x, y, z), labels of the task, or None. spacing: mm. affine: voxel to millimetres, (4, 4). slices: the index
    to show in each plane.
    """

    case: str
    title: str
    scores: Mapping[str, Mapping[str, float]] | None
    image: NDArray[np.float16]
    brain: NDArray[np.bool_]
    reference: NDArray[np.uint8] | None
    prediction: NDArray[np.uint8] | None
    spacing: tuple[float, float, float]
    affine: NDArray[np.float64]
    slices: dict[Plane, int]

    @property
    def dice(self) -> dict[str, float] | None:
        """By structure."""
        return None if self.scores is None else {name: columns["dice"] for name, columns in self.scores.items()}

    def mask(self, which: str) -> NDArray[np.uint8]:
        """The `reference` or the `prediction`. Raises ValueError where the case was read without it."""
        found = self.reference if which == "reference" else self.prediction
        if found is None:
            raise ValueError(f"{self.case} was read without its {which}")
        return found


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
    """A case from volumes as the network sees them, in the slices with most of the reference, or of the prediction."""
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
        spacing=reoriented_spacing_mm(affine),
        affine=reoriented_affine(affine, image.shape[1:], DISPLAY_AXES),
        slices=slices_with_most_tumour(slice_selection_mask(reference, prediction, task=task, shape=brain.shape)),
    )
