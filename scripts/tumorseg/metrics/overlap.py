"""Overlap of a predicted mask with its reference, voxel by voxel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorseg.boxes import box_around, box_slices
from tumorseg.labels import CLASSES, STRUCTURES


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


def confusion(prediction: NDArray[np.uint8], reference: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many voxels there are of each pair of labels: (reference's label, predicted label), of `CLASSES` each.

    prediction, reference: masks of inside labels and equal shape, (X, Y, Z). Raises ValueError when the shapes differ,
    and where a value is no label.
    """
    if prediction.shape != reference.shape:
        raise ValueError(f"masks of different shapes: {prediction.shape} and {reference.shape}")
    if max(prediction.max(initial=0), reference.max(initial=0)) >= CLASSES:
        raise ValueError(f"masks with values beyond the labels, which end at {CLASSES - 1}")
    box = box_slices(box_around((prediction != 0) | (reference != 0)))
    pairs = reference[box] * np.uint8(CLASSES) + prediction[box]
    table = np.bincount(pairs.ravel(), minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    table[0, 0] += reference.size - pairs.size
    return table


def overlaps(prediction: NDArray[np.uint8], reference: NDArray[np.uint8]) -> dict[str, Overlap]:
    """The overlap of each of `labels.STRUCTURES`, by name, of two masks; see `confusion`."""
    return overlaps_of(confusion(prediction, reference))


def overlaps_of(table: NDArray[np.int64]) -> dict[str, Overlap]:
    """The overlap of each of `labels.STRUCTURES`, by name, from the table that `confusion` gives."""
    return {name: _overlap(table, np.isin(np.arange(CLASSES), labels)) for name, labels in STRUCTURES.items()}


def _overlap(table: NDArray[np.int64], inside: NDArray[np.bool_]) -> Overlap:
    return Overlap(
        true_positives=int(table[inside][:, inside].sum()),
        false_positives=int(table[~inside][:, inside].sum()),
        false_negatives=int(table[inside][:, ~inside].sum()),
        true_negatives=int(table[~inside][:, ~inside].sum()),
    )
