"""Calibration of predicted probabilities: reliability bins and the expected calibration error."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.task import Task

BINS: Final = 15
DEFINITION: Final = (
    "over the brain voxels of all held-out cases: the predicted probability that a voxel belongs to a region, in "
    f"{BINS} bins of equal width, against the share of the bin's voxels that belong to it in the reference; `label`: "
    "the same for the most probable label. Expected calibration error: the absolute difference between the two in a "
    "bin, averaged over voxels (Guo et al. 2017, arXiv:1706.04599), before any post-processing"
)


@dataclass(frozen=True, eq=False)
class Reliability:
    """The voxels of each bin of predicted probability. Instances of several cases can be added.

    Attributes:
        voxels: number of voxels, float64 (BINS,).
        probability: sum of their predicted probabilities.
        true: number of voxels whose prediction came true.

    References:
        Guo et al. 2017, arXiv:1706.04599.
    """

    voxels: NDArray[np.float64]
    probability: NDArray[np.float64]
    true: NDArray[np.float64]

    @classmethod
    def from_predictions(cls, probabilities: NDArray[np.float32], came_true: NDArray[np.bool_]) -> "Reliability":
        """Return the bins of a set of voxels.

        Args:
            probabilities: predicted probability of each voxel, 0 to 1, float32 (n,).
            came_true: whether the prediction came true, bool (n,).
        """
        bins = np.minimum((probabilities * BINS).astype(np.intp), BINS - 1)
        voxels, probability, true = (
            np.bincount(bins, weights=weights, minlength=BINS).astype(np.float64)
            for weights in (None, probabilities, came_true)
        )
        return cls(voxels, probability, true)

    def __add__(self, other: "Reliability") -> "Reliability":
        return Reliability(self.voxels + other.voxels, self.probability + other.probability, self.true + other.true)

    @property
    def expected_calibration_error(self) -> float:
        """The absolute difference between mean probability and observed share of a bin, averaged over voxels.

        It is from 0 to 1, and 0 without any voxel.
        """
        return float(np.abs(self.probability - self.true).sum() / max(1, self.voxels.sum()))

    def as_dict(self) -> dict[str, Any]:
        """Return the expected calibration error and the bins that have voxels, as plain JSON types."""
        return {
            "expected_calibration_error": self.expected_calibration_error,
            "bins": [
                {
                    "low": index / BINS,
                    "high": (index + 1) / BINS,
                    "voxels": int(self.voxels[index]),
                    "mean_probability": float(self.probability[index] / self.voxels[index]),
                    "observed": float(self.true[index] / self.voxels[index]),
                }
                for index in np.flatnonzero(self.voxels)
            ],
        }


def case_reliability(
    reference: NDArray[np.uint8], probabilities: NDArray[np.float32], brain: NDArray[np.bool_], task: Task
) -> dict[str, Reliability]:
    """Return the reliability of each region of a task and of the most probable label.

    Args:
        reference: canonical labels, uint8 (X, Y, Z).
        probabilities: probability of each class, float32 (classes, X, Y, Z).
        brain: the voxels to count, bool (X, Y, Z).
        task: defines the regions.

    Returns:
        The reliability of each region by name, and that of the most probable label under `label`.
    """
    brain_probabilities, brain_labels = probabilities[:, brain], reference[brain]
    by_region = {
        region: Reliability.from_predictions(
            brain_probabilities[list(labels)].sum(axis=0), np.isin(brain_labels, labels)
        )
        for region, labels in task.region_labels.items()
    }
    most_probable = brain_probabilities.argmax(axis=0)
    return {
        **by_region,
        "label": Reliability.from_predictions(brain_probabilities.max(axis=0), most_probable == brain_labels),
    }
