"""The points of the learning curve.

Snakemake imports this module to plan the jobs, so it imports no packages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Start = Literal["random", "model"]
"""What a training starts from: random weights, or the model in `training.start_from`."""
START_NAMES: Final[dict[Start, str]] = {"random": "from random weights", "model": "from the start model"}


@dataclass(frozen=True)
class CurvePoint:
    """A point of the learning curve for one seed: one training in each fold.

    Attributes:
        start: what the trainings start from.
        cases: number of training cases; 0 is the start model as it is, without a training.
        seed: seed of the choice of cases and of the trainings; 0 for the start model as it is, which has no seed.
    """

    start: Start
    cases: int
    seed: int

    @property
    def folder(self) -> str:
        """The folder of its results, below the folder of the learning curve."""
        return f"{self.start}/cases-{self.cases}/seed-{self.seed}"


def curve_points(sizes: Sequence[int], seeds: Sequence[int], *, has_start_model: bool) -> list[CurvePoint]:
    """Return the points of the learning curve.

    Args:
        sizes: numbers of training cases (`learning_curve.cases`); 0 only with a start model.
        seeds: seeds (`learning_curve.seeds`).
        has_start_model: whether trainings also start from a model.
    """
    starts: tuple[Start, ...] = ("random", "model") if has_start_model else ("random",)
    unchanged = [CurvePoint("model", 0, 0)] if has_start_model and 0 in sizes else []
    trained = [
        CurvePoint(start, size, seed) for start in starts for size in sorted(sizes) if size > 0 for seed in seeds
    ]
    return [*unchanged, *trained]
