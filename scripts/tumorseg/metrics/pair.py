"""Pairs of a reference and a predicted mask, with the intermediate results that several metrics share."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tumorseg.metrics.input_checks import as_labels, as_spacing, as_tolerance
from tumorseg.metrics.overlap import Overlap, confusion, label_bounding_box, label_overlap
from tumorseg.metrics.surface_elements import Spacing
from tumorseg.task import Task

Shared = TypeVar("Shared")


@dataclass(frozen=True, eq=False)
class CasePair:
    """The reference and the prediction of a case.

    Attributes:
        reference: labels, uint8 (x, y, z), cropped to the smallest box around the labels of both masks.
        prediction: labels, uint8, of the same shape.
        confusion: voxel counts of label pairs over the whole grid, see `overlap.confusion`.
        spacing_mm: voxel edges along X, Y and Z.
        surface_tolerance_mm: surfaces within this distance of each other agree, for the surface Dice.
    """

    reference: NDArray[np.uint8]
    prediction: NDArray[np.uint8]
    confusion: NDArray[np.int64]
    spacing_mm: Spacing
    surface_tolerance_mm: float

    @classmethod
    def from_masks(
        cls,
        reference: NDArray[Any],
        prediction: NDArray[Any],
        spacing_mm: Sequence[float],
        *,
        task: Task,
        surface_tolerance_mm: float,
    ) -> "CasePair":
        """Return the pair of two masks of a task.

        Args:
            reference: labels of the task, integers of any type (X, Y, Z).
            prediction: labels of the task, of the same shape.
            spacing_mm: voxel edges along X, Y and Z.
            task: defines the labels.
            surface_tolerance_mm: see `surface_tolerance_mm` of the class.

        Raises:
            ValueError: an argument is invalid (see `input_checks`), the shapes differ, or a mask has a value that is
                not a label of the task.
        """
        reference, prediction = as_labels(reference, "reference"), as_labels(prediction, "prediction")
        spacing_mm, surface_tolerance_mm = as_spacing(spacing_mm), as_tolerance(surface_tolerance_mm)
        box = label_bounding_box(reference, prediction, task.classes)
        cropped = reference[box], prediction[box]
        table = confusion(*cropped, task.classes)
        if unknown := [value for value in task.unused_classes if table[value].any() or table[:, value].any()]:
            raise ValueError(f"a mask has the value {unknown[0]}, which is not a label of the task {task.name}")
        table[0, 0] += reference.size - cropped[0].size
        return cls(*cropped, table, spacing_mm, surface_tolerance_mm)

    def structure(self, labels: Collection[int]) -> "StructurePair":
        """Return the pair of a union of labels."""
        return StructurePair(label_overlap(self.confusion, labels), self, tuple(labels))


class StructurePair:
    """The reference and the prediction of one structure of a case.

    Attributes:
        overlap: voxel counts over the whole grid.
    """

    def __init__(self, overlap: Overlap, case: CasePair | None = None, labels: tuple[int, ...] = ()) -> None:
        """Store the voxel counts, and the case for metrics that need masks.

        Args:
            overlap: voxel counts over the whole grid.
            case: the pair of the whole case; None if only voxel counts are known.
            labels: the labels of the structure.
        """
        self.overlap = overlap
        self._case = case
        self._labels = labels
        self._shared: dict[Callable[[StructurePair], Any], Any] = {}

    @cached_property
    def reference(self) -> NDArray[np.bool_]:
        """Mask of the structure in the reference, bool (x, y, z), cropped as in `CasePair`."""
        return self._mask(self.case.reference)

    @cached_property
    def prediction(self) -> NDArray[np.bool_]:
        """Mask of the structure in the prediction, bool, of the same shape."""
        return self._mask(self.case.prediction)

    @property
    def case(self) -> CasePair:
        """The pair of the whole case.

        Raises:
            ValueError: only voxel counts are known.
        """
        if self._case is None:
            raise ValueError("this metric needs masks and cannot be computed from voxel counts alone")
        return self._case

    @property
    def spacing_mm(self) -> Spacing:
        """Voxel edges along X, Y and Z."""
        return self.case.spacing_mm

    @property
    def voxel_mm3(self) -> float:
        """Volume of a voxel in mm³."""
        return float(np.prod(self.spacing_mm))

    def compute_once(self, compute: Callable[["StructurePair"], Shared]) -> Shared:
        """Return the result of a function for this pair, which is computed once and shared between metrics.

        Args:
            compute: function of a pair, such as one that measures surface distances.
        """
        if compute not in self._shared:
            self._shared[compute] = compute(self)
        result: Shared = self._shared[compute]
        return result

    def _mask(self, labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = np.isin(labels, self._labels)
        return mask
