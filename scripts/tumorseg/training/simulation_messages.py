"""What a training and the processes that simulate its cases send each other."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.task import Task
from tumorseg.training.patches import PatchSettings


@dataclass(frozen=True)
class Simulation:
    """What all requests have in common.

    Attributes:
        normalisation: the section `normalisation` of the configuration.
        task: its channels and labels are simulated.
        seed: seed of the cases.
        patches: size and placement of the patches.
    """

    normalisation: dict[str, Any]
    task: Task
    seed: int
    patches: PatchSettings


@dataclass(frozen=True)
class Request:
    """A patch of a new case.

    Attributes:
        index: number of the case.
        rng: generator of the position of the patch.
    """

    index: int
    rng: np.random.Generator


@dataclass(frozen=True, eq=False)
class SimulatedPatch:
    """A patch of a simulated case.

    Attributes:
        case: name of the case.
        image: float16 (channels, X, Y, Z).
        mask: uint8 (X, Y, Z), canonical labels of the task.
    """

    case: str
    image: NDArray[np.float16]
    mask: NDArray[np.uint8]
