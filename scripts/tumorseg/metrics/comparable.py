"""The scores of several sets of predictions of the same cases as one array, with a rule for cases without a value."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.metrics.metric_record import Metric

NO_VALUE_DEFINITION: Final = (
    "a case counts if any folder has a value for it. A folder without a value there has an empty mask, as the "
    "reference, which counts as the best value. Scores of lesions of a certain size compare only the cases whose "
    "reference has such lesions"
)
"""How `ScoreArrays.comparable` treats cases without a value."""


class ScoreArrays:
    """The tables of scores of several folders, read by structure and score.

    Attributes:
        folders: names of the folders, in the order of the tables.
        cases: names of the cases, sorted.
    """

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        """Pair the rows of all tables by case.

        Args:
            tables: tables of scores by folder, with the columns `case`, `region` and one for each score. All have the
                same cases.
        """
        self.folders = tuple(tables)
        self.cases: Sequence[str] = sorted(next(iter(tables.values()))["case"].unique())
        self._parts = {
            (folder, structure): part.set_index("case").loc[self.cases]
            for folder, table in tables.items()
            for structure, part in table.groupby("region")
        }

    def values(self, structure: str, column: str) -> NDArray[np.float64]:
        """Return the values of a column, float64 (cases, folders); not a number where there is none."""
        columns = [self._parts[folder, structure][column].to_numpy(float) for folder in self.folders]
        return np.stack(columns, axis=1)

    def comparable(self, structure: str, metric: Metric) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the values of a score that can be compared between folders, see `NO_VALUE_DEFINITION`.

        Returns:
            The values of the cases that count, float64 (counted, folders), and whether each case counts, bool (cases,).
        """
        values = self.values(structure, metric.name)
        missing = np.isnan(values)
        # A case without a mask has the worst value even if its reference lacks such lesions; the other folders tell.
        without = missing.any(axis=1) if metric.needs_lesion_size else missing.all(axis=1)
        counted = np.asarray(~without)
        return np.where(missing, metric.best, values)[counted], counted
