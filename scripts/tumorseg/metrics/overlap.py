"""Overlap of a predicted mask with its reference: Dice, IoU, F1, precision and sensitivity of one structure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorseg.labels import STRUCTURES

DEFINITIONS = {
    "dice": "2 TP / (2 TP + FP + FN) over the voxels of a case; 1 where reference and prediction are both empty, "
    "0 where only one of them is",
    "iou": "TP / (TP + FP + FN) over the voxels of a case, "
    "empty masks as for Dice; in each case IoU = Dice / (2 - Dice)",
    "f1": "harmonic mean of precision and sensitivity over the voxels of a case, empty masks as for Dice; in each case "
    "F1 = Dice",
    "precision": "TP / (TP + FP); with nothing predicted, 1 where the reference is empty too and 0 elsewhere",
    "sensitivity": "TP / (TP + FN); with an empty reference, 1 where nothing is predicted and 0 elsewhere",
}


@dataclass(frozen=True)
class Overlap:
    """Voxels of a structure in both masks (true positives), in the prediction only, in the reference only."""

    true_positives: int
    false_positives: int
    false_negatives: int

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
    def f1(self) -> float:
        """Harmonic mean of precision and sensitivity."""
        total = self.precision + self.sensitivity
        return 2 * self.precision * self.sensitivity / total if total else 0.0

    def _ratio(self, part: int, whole: int) -> float:
        if whole:
            return part / whole
        # Nothing to divide by: right if there was nothing to find either, wrong otherwise.
        return float(self.reference_voxels == self.predicted_voxels == 0)


def overlaps(prediction: NDArray[np.uint8], reference: NDArray[np.uint8]) -> dict[str, Overlap]:
    """The overlap of each of `labels.STRUCTURES`, by name, of two masks of inside labels and equal shape.

    Raises ValueError when the shapes differ.
    """
    if prediction.shape != reference.shape:
        raise ValueError(f"masks of different shapes: {prediction.shape} and {reference.shape}")
    # One pass over the voxels gives the count of each pair of labels; all structures follow from that table.
    width = int(max(prediction.max(initial=0), reference.max(initial=0))) + 1
    pairs = np.bincount((reference.astype(np.uint16) * width + prediction).ravel(), minlength=width**2)
    table = pairs.reshape(width, width)  # (reference label, predicted label)
    scores = {}
    for name, labels in STRUCTURES.items():
        inside = np.isin(np.arange(width), labels)
        scores[name] = Overlap(
            true_positives=int(table[inside][:, inside].sum()),
            false_positives=int(table[~inside][:, inside].sum()),
            false_negatives=int(table[inside][:, ~inside].sum()),
        )
    return scores
