"""Overlap of a predicted mask with its reference, voxel by voxel."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorseg.geometry import bounding_box, box_slices
from tumorseg.task import Task


@dataclass(frozen=True)
class Overlap:
    """Voxels of a structure in both masks (true positives), in one of them only, in neither (true negatives)."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def reference_voxels(self) -> int:
        """Voxels of the structure in the reference."""
        return self.true_positives + self.false_negatives

    @property
    def predicted_voxels(self) -> int:
        """Voxels of the structure in the prediction."""
        return self.true_positives + self.false_positives

    @property
    def dice(self) -> float:
        """Dice's coefficient (Dice 1945, doi:10.2307/1932409)."""
        return self._ratio(2 * self.true_positives, self.reference_voxels + self.predicted_voxels)

    @property
    def iou(self) -> float:
        """Intersection over union (Jaccard's index)."""
        union = self.true_positives + self.false_positives + self.false_negatives
        return self._ratio(self.true_positives, union)

    @property
    def precision(self) -> float:
        """Share of the predicted voxels that are right."""
        return self._ratio(self.true_positives, self.predicted_voxels)

    @property
    def sensitivity(self) -> float:
        """Share of the reference's voxels that are found."""
        return self._ratio(self.true_positives, self.reference_voxels)

    @property
    def specificity(self) -> float:
        """Share of the other voxels that are left alone; 1 where there are none."""
        others = self.true_negatives + self.false_positives
        return self.true_negatives / others if others else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and sensitivity."""
        total = self.precision + self.sensitivity
        return 2 * self.precision * self.sensitivity / total if total else 0.0

    def _ratio(self, part: int, whole: int) -> float:
        if whole:
            return part / whole
        # Nothing to divide by: right if there was nothing to find either, wrong otherwise.
        return float(self.reference_voxels == self.predicted_voxels == 0)


def confusion(reference: NDArray[np.uint8], prediction: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """Count the voxels of each pair of labels.

    Args:
        reference: labels, uint8 (X, Y, Z).
        prediction: labels, uint8, of the same shape.
        classes: number of classes, background included; at most 16.

    Returns:
        Voxels, int64 (classes, classes), by the reference's label and then by the predicted label.

    Raises:
        ValueError: the shapes differ, or a value is not a class.
    """
    box = label_bounding_box(reference, prediction, classes)
    pairs = reference[box] * np.uint8(classes) + prediction[box]
    table = np.bincount(pairs.ravel(), minlength=classes**2).reshape(classes, classes)
    table[0, 0] += reference.size - pairs.size
    return table


def label_bounding_box(
    reference: NDArray[np.uint8], prediction: NDArray[np.uint8], classes: int
) -> tuple[slice, slice, slice]:
    """Return the smallest box around the labels of both masks; the whole grid without any. Arguments as `confusion`."""
    if prediction.shape != reference.shape:
        raise ValueError(f"masks of different shapes: {reference.shape} and {prediction.shape}")
    if max(prediction.max(initial=0), reference.max(initial=0)) >= classes:
        raise ValueError(f"masks with values beyond the labels, which end at {classes - 1}")
    return box_slices(bounding_box((prediction != 0) | (reference != 0)))


def overlaps(reference: NDArray[np.uint8], prediction: NDArray[np.uint8], task: Task) -> dict[str, Overlap]:
    """Return the overlap of each structure of a task, by name. reference, prediction: see `confusion`."""
    return overlaps_from_confusion(confusion(reference, prediction, task.classes), task)


def overlaps_from_confusion(confusion_table: NDArray[np.int64], task: Task) -> dict[str, Overlap]:
    """Return the overlap of each structure of a task, by name, from the table that `confusion` returns."""
    return {name: label_overlap(confusion_table, labels) for name, labels in task.structures.items()}


def label_overlap(confusion_table: NDArray[np.int64], labels: Collection[int]) -> Overlap:
    """Return the overlap of a union of labels from the table that `confusion` returns."""
    inside = np.isin(np.arange(len(confusion_table)), list(labels))
    return Overlap(
        true_positives=int(confusion_table[inside][:, inside].sum()),
        false_positives=int(confusion_table[~inside][:, inside].sum()),
        false_negatives=int(confusion_table[inside][:, ~inside].sum()),
        true_negatives=int(confusion_table[~inside][:, ~inside].sum()),
    )
