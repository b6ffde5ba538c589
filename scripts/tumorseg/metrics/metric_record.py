"""The record of a metric: its function, and the names, limits and definition that tables and pages show."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tumorseg.errors import Message
from tumorseg.metrics.pair import StructurePair

Better = Literal["higher", "lower", "nearer_zero"]
"""Which values of a score are better."""

Place = Literal[
    "headline", "macro", "report", "report_cases", "distributions", "case_figure", "terminal", "model_card", "ranking"
]
"""Where a score is shown:

- headline: main table of the report
- macro: table of the report with the mean over the labels of a case; only for scores of voxel counts
- report: table of the report with all other scores
- report_cases: table of cases of the report
- distributions: figure of distributions; only for scores from 0 to 1
- case_figure: next to the images of a case
- terminal: tables that `score` prints, and main tables of its page; differences in these scores are tested
- model_card: table of regions in the model card
- ranking: folders of predictions are ranked by these scores, all together
"""

Needed = Literal["reference", "either", "neither"]

_MetricFunction = Callable[[StructurePair], float]


@dataclass(frozen=True)
class Metric:
    """A score of a structure in a case.

    Attributes:
        name: column in tables.
        value: function that computes the score from the two masks of a structure.
        title: title on pages.
        definition: definition in summary.json and on pages.
        better: whether higher, lower or nearer to zero is better.
        best: value if reference and prediction are equal, also if both are empty.
        worst: value if only one mask is empty or the prediction is missing. None: a missing prediction scores as an
            empty one.
        short_title: title in narrow tables.
        counts_empty: whether `value` is called for empty masks too.
        needs: the mask that must not be empty for a measured score. If it is empty, the score is a convention, which
            pages show in brackets.
        unit: unit on pages.
        divisor: table units per page unit, such as 1000 mm³ per ml.
        decimals: decimals on pages.
        places: where the score is shown.
        challenge: the challenges that define the score; empty for a score in general use.
        needs_lesion_size: whether the score has no value exactly if the reference has no lesion of a certain size.

    Example:
        >>> Metric(
        ...     "missed_mm3",
        ...     lambda pair: pair.overlap.false_negatives * pair.voxel_mm3,
        ...     title="Missed volume",
        ...     definition="volume of the reference that is not predicted, mm³",
        ...     better="lower",
        ...     best=0,
        ...     worst=None,
        ...     counts_empty=True,
        ... ).better
        'lower'
    """

    name: str
    value: _MetricFunction
    title: str
    definition: str
    better: Better
    best: float
    worst: float | None
    short_title: str = ""
    counts_empty: bool = False
    needs: Needed = "either"
    unit: str = ""
    divisor: float = 1
    decimals: int = 3
    places: tuple[Place, ...] = ("report",)
    challenge: str = ""
    needs_lesion_size: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError if the fields contradict each other."""
        if contradiction := self._contradiction():
            raise ValueError(f"metric {self.name}: {contradiction}")

    def _contradiction(self) -> Message | None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            return "the name must have lower-case letters, digits and underscores only"
        if not self.title or not self.definition:
            return "it needs a title and a definition"
        if self.better not in get_args(Better):
            return f"better must be {' or '.join(get_args(Better))}, not {self.better}"
        if unknown := sorted(set(self.places) - set(get_args(Place))):
            return f"there is no place {unknown[0]}; places are {', '.join(get_args(Place))}"
        if self.needs not in get_args(Needed) or (self.needs == "neither" and not self.counts_empty):
            return f"needs cannot be {self.needs} if counts_empty is {'true' if self.counts_empty else 'false'}"
        if "distributions" in self.places and (self.worst, self.best) != (0, 1):
            return "the figure of distributions shows scores with worst 0 and best 1 only"
        if self.better == "nearer_zero" and self.best != 0:
            return "best must be 0 if better is nearer_zero"
        if self.worst is None:
            return None if self.counts_empty else "counts_empty must be true if worst is None"
        is_ordered = self.best > self.worst if self.better == "higher" else self.best < abs(self.worst)
        if not is_ordered:
            return f"{self.better} is better, but best is {self.best:g} and worst {self.worst:g}"
        return None

    def score(self, pair: StructurePair) -> float:
        """Return the score of a structure.

        Args:
            pair: the masks of the structure, or its voxel counts alone.

        Raises:
            ValueError: the score is not a finite number.
        """
        empty = (pair.overlap.reference_voxels == 0, pair.overlap.predicted_voxels == 0)
        if any(empty) and not self.counts_empty and self.worst is not None:
            return float(self.best if all(empty) else self.worst)
        value = float(self.value(pair))
        if not math.isfinite(value):
            raise ValueError(f"metric {self.name}: {value} is not a finite number")
        return value

    def error(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values to compare between predictions: distances from 0 if nearer is better, else the scores.

        Args:
            values: scores in the unit of tables, float64 of any shape.
        """
        return np.abs(values) if self.better == "nearer_zero" else values

    def gains(self, differences: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return differences between two predictions, signed so that they are positive if the second one is better.

        Args:
            differences: result of `error` for the second prediction minus that for the first, float64 of any shape.
        """
        return differences if self.better == "higher" else -differences

    @property
    def heading(self) -> str:
        """The title with its unit, such as `HD95 as in BraTS, mm`."""
        return self._with_unit(self.title)

    @property
    def name_in_tables(self) -> str:
        """The short title if the metric has one, else the title."""
        return self.short_title or self.title

    def heading_of(self, structure: str = "") -> str:
        """Return the heading of a narrow column: `HD95 label 1, mm`, or `HD95, mm` without a structure."""
        return self._with_unit(f"{self.name_in_tables} {structure.replace('_', ' ')}".strip())

    def text(self, value: float) -> str:
        """Return a value of the table as text in the unit of pages, without a thousands separator."""
        return f"{value / self.divisor:.{self.decimals}f}"

    def is_convention(self, reference_voxels: float, predicted_voxels: float) -> bool:
        """Return whether the score is a convention because a mask that it needs is empty."""
        is_empty = {"reference": reference_voxels == 0, "either": 0 in (reference_voxels, predicted_voxels)}
        return is_empty.get(self.needs, False)

    def _with_unit(self, title: str) -> str:
        return f"{title}, {self.unit}" if self.unit else title


@dataclass(frozen=True)
class Count:
    """A number of a structure in a case that is not a score, such as a volume or a number of lesions.

    Attributes:
        name: column in tables.
        value: function that computes the number from the two masks of a structure.
        definition: definition of the sum over cases in summary.json. If empty, summary.json has no sum.
    """

    name: str
    value: _MetricFunction
    definition: str = ""
