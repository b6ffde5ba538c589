"""What the probabilities of a network say about its own mask: soft Dice, expected volume, agreement of networks.

None of these needs a reference, so a new patient has them too. The soft Dice of a network that is right about its
probabilities equals the Dice to expect. Networks are overconfident, hence `expected_dice` and `conformal` compare the
values with the truth of held-out cases.

Mirror images of one network are averaged first: where they disagree, their mean is less certain, and the soft Dice
falls. Several networks are described one by one, because each held-out case was predicted by a single one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tumorseg.task import Task


@dataclass(frozen=True, eq=False)
class OutputSums:
    """Sums over all voxels of the output of one network, from which the quality of any structure follows.

    Attributes:
        probabilities: sum of the probabilities of each class (second axis) over the voxels of each label in the mask of
            this network (first axis), float64 (classes, classes).
        voxels: number of voxels of each label in the mask of this network (first axis) and in the mask of all networks
            together (second axis), int64 (classes, classes).
    """

    probabilities: NDArray[np.float64]
    voxels: NDArray[np.int64]


@dataclass(frozen=True)
class MaskQuality:
    """What a network says about its own mask of a structure, before post-processing.

    Attributes:
        soft_dice: Dice between probabilities and mask, 2 sum(p m) / (sum p + sum m); 1 if both sums are 0.
        expected_mm3: sum of the probabilities times the volume of a voxel.
        mask_mm3: volume of the structure in the mask.
        agreement: Dice between this mask and the mask of all networks together; None if there is one network.
    """

    soft_dice: float
    expected_mm3: float
    mask_mm3: float
    agreement: float | None = None

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the quality from plain JSON types."""
        return cls(**content)

    def to_json(self) -> dict[str, Any]:
        """Return the quality as plain JSON types, without the agreement if there is none."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def mask_quality(outputs: Sequence[OutputSums], task: Task, voxel_mm3: float) -> list[dict[str, MaskQuality]]:
    """Return the quality of the mask of each network, by structure.

    Args:
        outputs: sums of each network.
        task: defines the structures.
        voxel_mm3: volume of a voxel of the network's grid.
    """
    several = len(outputs) > 1
    return [
        {
            name: _structure_quality(output, list(labels), voxel_mm3, several=several)
            for name, labels in task.structures.items()
        }
        for output in outputs
    ]


def _structure_quality(output: OutputSums, labels: list[int], voxel_mm3: float, *, several: bool) -> MaskQuality:
    inside = np.ix_(labels, labels)
    expected, mask = float(output.probabilities[:, labels].sum()), int(output.voxels[labels].sum())
    together, shared = int(output.voxels[:, labels].sum()), int(output.voxels[inside].sum())
    return MaskQuality(
        soft_dice=_dice(float(output.probabilities[inside].sum()), expected, mask),
        expected_mm3=expected * voxel_mm3,
        mask_mm3=mask * voxel_mm3,
        agreement=_dice(shared, mask, together) if several else None,
    )


def _dice(shared: float, one: float, other: float) -> float:
    return min(1.0, 2 * shared / (one + other)) if one + other else 1.0
