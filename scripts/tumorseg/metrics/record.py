"""The record of a metric: its function, and what tables and pages need to know about it."""

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
"""Which of two values of a score is the better one."""

Place = Literal["macro", "report", "report_cases", "distributions", "case_figure", "terminal", "model_card"]
"""Where a score is shown.

macro: in the report's first table, with the mean over the labels of a case; only scores of voxel counts. report: in the
report's second table. report_cases: in its table of cases. distributions: in the figure of distributions; only scores
from 0 to 1. case_figure: beside the pictures of a case. terminal: in the table that `score` prints. model_card: in the
model card's table of regions.
"""

Needed = Literal["reference", "either", "neither"]

_Function = Callable[[StructurePair], float]


@dataclass(frozen=True)
class Metric:
    """A score of a structure in a case.

    Attributes:
        name: column of tables.
        value: function of the two masks of a structure.
        title: for pages.
        short_title: for narrow tables.
        definition: for summary.json and pages.
        better: which of two values is better.
        best: value if prediction and reference are equal, both empty included.
        worst: value if only one of them is empty, and of a case without a prediction. None: a case without a
            prediction gets the value of an empty one.
        counts_empty: whether the function is called for empty masks too.
        needs: the mask whose emptiness makes the score a convention, in brackets on pages; neither: none does.
        unit: on pages.
        divisor: how many of the table's units one of the pages' units is.
        decimals: on pages.
        places: where the score is shown.

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
    value: _Function
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

    def __post_init__(self) -> None:
        """Raises ValueError where the parts of the record contradict each other."""
        if wrong := self._contradiction():
            raise ValueError(f"metric {self.name}: {wrong}")

    def _contradiction(self) -> Message | None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            return "a name has lower-case letters, digits and underscores"
        if not self.title or not self.definition:
            return "it needs a title and a definition"
        if self.better not in get_args(Better):
            return f"better is {' or '.join(get_args(Better))}, not {self.better}"
        if unknown := sorted(set(self.places) - set(get_args(Place))):
            return f"there is no place {unknown[0]}; places are {', '.join(get_args(Place))}"
        if self.needs not in get_args(Needed) or (self.needs == "neither" and not self.counts_empty):
            return f"needs cannot be {self.needs}, with counts_empty {'true' if self.counts_empty else 'false'}"
        if "distributions" in self.places and (self.worst, self.best) != (0, 1):
            return "the figure of distributions shows scores from 0, the worst, to 1, the best"
        if self.better == "nearer_zero" and self.best != 0:
            return "best is 0 where nearer to 0 is better"
        if self.worst is None:
            return None if self.counts_empty else "without a worst value, counts_empty has to be true"
        best_first = self.best > self.worst if self.better == "higher" else self.best < abs(self.worst)
        if not best_first:
            return f"{self.better} is better, but best is {self.best:g} and worst {self.worst:g}"
        return None

    def score(self, pair: StructurePair) -> float:
        """Return the score of a structure.

        Raises:
            ValueError: the function returns a number that is not finite.
        """
        empty = (pair.overlap.reference_voxels == 0, pair.overlap.predicted_voxels == 0)
        if any(empty) and not self.counts_empty and self.worst is not None:
            return float(self.best if all(empty) else self.worst)
        value = float(self.value(pair))
        if not math.isfinite(value):
            raise ValueError(f"metric {self.name}: {value} is not a finite number")
        return value

    def error(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what is compared between predictions: the values, or their distance from 0 if nearer is better."""
        return np.abs(values) if self.better == "nearer_zero" else values

    def gains(self, differences: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return differences of `error` with the sign that is positive where the second prediction is better."""
        return differences if self.better == "higher" else -differences

    @property
    def heading(self) -> str:
        """The title with its unit: `HD95 as in BraTS, mm`."""
        return self._with_unit(self.title)

    @property
    def name_in_tables(self) -> str:
        """The short title if there is one, else the title."""
        return self.short_title or self.title

    def heading_of(self, structure: str = "") -> str:
        """Return the heading of a narrow column: `HD95 label 1, mm`, or, without a structure, `HD95, mm`."""
        return self._with_unit(f"{self.name_in_tables} {structure.replace('_', ' ')}".strip())

    def text(self, value: float) -> str:
        """Return a value of the table as pages write it, in `unit` and without thousands set apart."""
        return f"{value / self.divisor:.{self.decimals}f}"

    def is_convention(self, reference_voxels: float, predicted_voxels: float) -> bool:
        """Return whether the score of a structure with these numbers of voxels is a convention."""
        lacking = {"reference": reference_voxels == 0, "either": 0 in (reference_voxels, predicted_voxels)}
        return lacking.get(self.needs, False)

    def _with_unit(self, title: str) -> str:
        return f"{title}, {self.unit}" if self.unit else title


@dataclass(frozen=True)
class Count:
    """A number of a structure in a case that is no score.

    name: column of tables. value: the function. definition: of the sum over the cases, which summary.json then has;
    empty: it has none.
    """

    name: str
    value: _Function
    definition: str = ""
