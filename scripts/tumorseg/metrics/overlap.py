"""Voxel-wise overlap of a predicted mask with its reference."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorseg.geometry import bounding_box, box_slices
from tumorseg.task import Task


@dataclass(frozen=True)
class Overlap:
    """Voxel counts of a structure in a reference and a prediction, and the scores computed from them.

    Attributes:
        true_positives: voxels of the structure in both masks.
        false_positives: voxels in the prediction only.
        false_negatives: voxels in the reference only.
        true_negatives: voxels in neither mask.

    Example:
        >>> Overlap(true_positives=3, false_positives=1, false_negatives=1, true_negatives=5).dice
        0.75
    """

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
        """Dice coefficient (Dice 1945, doi:10.2307/1932409)."""
        return self._ratio(2 * self.true_positives, self.reference_voxels + self.predicted_voxels)

    @property
    def iou(self) -> float:
        """Intersection over union (Jaccard index)."""
        union = self.true_positives + self.false_positives + self.false_negatives
        return self._ratio(self.true_positives, union)

    @property
    def precision(self) -> float:
        """Share of the predicted voxels that the reference has too."""
        return self._ratio(self.true_positives, self.predicted_voxels)

    @property
    def sensitivity(self) -> float:
        """Share of the reference voxels that the prediction has too."""
        return self._ratio(self.true_positives, self.reference_voxels)

    @property
    def specificity(self) -> float:
        """Share of the voxels outside the reference that are outside the prediction too; 1 if there are none."""
        negatives = self.true_negatives + self.false_positives
        return self.true_negatives / negatives if negatives else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and sensitivity."""
        total = self.precision + self.sensitivity
        return 2 * self.precision * self.sensitivity / total if total else 0.0

    def _ratio(self, part: int, whole: int) -> float:
        if whole:
            return part / whole
        # An empty denominator scores 1 if both masks are empty, else 0.
        return float(self.reference_voxels == self.predicted_voxels == 0)


def confusion(reference: NDArray[np.uint8], prediction: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """Count the voxels of each pair of a reference label and a predicted label.

    Args:
        reference: labels, uint8 (X, Y, Z).
        prediction: labels, uint8, of the same shape.
        classes: number of classes, background included, at most 16.

    Returns:
        Voxel counts, int64 (classes, classes), with the reference label on the first axis.

    Raises:
        ValueError: the shapes differ, or a value is not a class.

    Example:
        >>> confusion(np.array([[[0, 1, 1]]], np.uint8), np.array([[[0, 1, 0]]], np.uint8), 2).tolist()
        [[1, 0], [1, 1]]
    """
    box = label_bounding_box(reference, prediction, classes)
    pairs = reference[box] * np.uint8(classes) + prediction[box]
    table = np.bincount(pairs.ravel(), minlength=classes**2).reshape(classes, classes)
    table[0, 0] += reference.size - pairs.size
    return table


def label_bounding_box(
    reference: NDArray[np.uint8], prediction: NDArray[np.uint8], classes: int
) -> tuple[slice, slice, slice]:
    """Return the smallest box around the labels of both masks, or the whole grid if both are empty.

    Args:
        reference: labels, uint8 (X, Y, Z).
        prediction: labels, uint8, of the same shape.
        classes: number of classes, background included.

    Raises:
        ValueError: the shapes differ, or a value is not a class.
    """
    if prediction.shape != reference.shape:
        raise ValueError(f"the masks have different shapes: {reference.shape} and {prediction.shape}")
    if max(prediction.max(initial=0), reference.max(initial=0)) >= classes:
        raise ValueError(f"a mask has a value above {classes - 1}, the largest label")
    return box_slices(bounding_box((prediction != 0) | (reference != 0)))


def overlaps(reference: NDArray[np.uint8], prediction: NDArray[np.uint8], task: Task) -> dict[str, Overlap]:
    """Return the overlap of each structure of a task, by name.

    Args:
        reference: canonical labels, uint8 (X, Y, Z).
        prediction: canonical labels, uint8, of the same shape.
        task: defines the structures.

    Returns:
        The voxel counts of each region and each label over the whole grid.

    Raises:
        ValueError: the shapes differ, or a value is not a class of the task.

    References:
        Dice 1945, doi:10.2307/1932409.

    Example:
        >>> mask = np.full((2, 2, 2), 4, np.uint8)
        >>> overlaps(mask, mask, tumorseg.load_task("brats-glioma"))["ET"].true_positives
        8
    """
    return overlaps_from_confusion(confusion(reference, prediction, task.classes), task)


def overlaps_from_confusion(confusion_table: NDArray[np.int64], task: Task) -> dict[str, Overlap]:
    """Return the overlap of each structure of a task, by name, from a confusion matrix.

    Args:
        confusion_table: voxel counts, int64 (classes, classes), see `confusion`.
        task: defines the structures.
    """
    return {name: label_overlap(confusion_table, labels) for name, labels in task.structures.items()}


def label_overlap(confusion_table: NDArray[np.int64], labels: Collection[int]) -> Overlap:
    """Return the overlap of a union of labels, from a confusion matrix.

    Args:
        confusion_table: voxel counts, int64 (classes, classes), see `confusion`.
        labels: labels that make up the structure.
    """
    inside = np.isin(np.arange(len(confusion_table)), list(labels))
    return Overlap(
        true_positives=int(confusion_table[inside][:, inside].sum()),
        false_positives=int(confusion_table[~inside][:, inside].sum()),
        false_negatives=int(confusion_table[inside][:, ~inside].sum()),
        true_negatives=int(confusion_table[~inside][:, ~inside].sum()),
    )
