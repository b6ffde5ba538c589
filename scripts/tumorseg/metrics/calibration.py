"""Calibration of predicted probabilities: reliability bins and the expected calibration error."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.task import Task

BINS: Final = 15
DEFINITION: Final = (
    "over the voxels of the brain of all held-out cases: the probability that a voxel belongs to a region, in "
    f"{BINS} bins of equal width, beside the share of those voxels that belong to it in the reference; `label`: the "
    "same of the most probable label. Expected calibration error: the mean over the voxels of the difference of both "
    "within their bin (Guo et al. 2017, arXiv:1706.04599), before any post-processing"
)


@dataclass(frozen=True, eq=False)
class Reliability:
    """For each of `BINS` bins: how many voxels, the sum of their probabilities, how many came true."""

    voxels: NDArray[np.float64]
    probability: NDArray[np.float64]
    true: NDArray[np.float64]

    @classmethod
    def of(cls, probabilities: NDArray[np.float32], came_true: NDArray[np.bool_]) -> "Reliability":
        """From the probability (0 to 1) of each of n voxels, and whether it came true."""
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
        """Mean difference between probability and outcome, 0 to 1; 0 without any voxel."""
        return float(np.abs(self.probability - self.true).sum() / max(1, self.voxels.sum()))

    def as_dict(self) -> dict[str, Any]:
        """The error, and the bins that have voxels, as plain JSON types."""
        return {
            "expected_calibration_error": self.expected_calibration_error,
            "bins": [
                {
                    "low": place / BINS,
                    "high": (place + 1) / BINS,
                    "voxels": int(self.voxels[place]),
                    "mean_probability": float(self.probability[place] / self.voxels[place]),
                    "observed": float(self.true[place] / self.voxels[place]),
                }
                for place in np.flatnonzero(self.voxels)
            ],
        }


def case_reliability(
    reference: NDArray[np.uint8], probabilities: NDArray[np.float32], brain: NDArray[np.bool_], task: Task
) -> dict[str, Reliability]:
    """Return the reliability of each region of a task, and of the most probable `label`.

    Args:
        reference: labels of the task, uint8 (X, Y, Z).
        probabilities: of each class, float32 (classes, X, Y, Z).
        brain: the voxels that count, bool (X, Y, Z).
        task: the task, whose regions are looked at.
    """
    inside, labels = probabilities[:, brain], reference[brain]
    found = {
        region: Reliability.of(inside[list(of_region)].sum(axis=0), np.isin(labels, of_region))
        for region, of_region in task.region_labels.items()
    }
    return {**found, "label": Reliability.of(inside.max(axis=0), inside.argmax(axis=0) == labels)}
