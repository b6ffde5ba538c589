"""The scores of all folders that tables and pages show together, with their means and comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tumorseg.metrics.metric_record import Metric


@dataclass(frozen=True, eq=False)
class ScoreSet:
    """Scores that tables and pages show together. Scores of different challenge years are never in one set.

    Attributes:
        name: short name without spaces, such as `2023`.
        title: heading on pages.
        scores: all scores of the set.
        tables: table of scores by folder.
        summaries: content of the summary by folder.
        comparison: result of `metrics.comparison.compare`; None for a single folder.
    """

    name: str
    title: str
    scores: tuple[Metric, ...]
    tables: Mapping[str, pd.DataFrame]
    summaries: Mapping[str, Mapping[str, Any]]
    comparison: Mapping[str, Any] | None

    @property
    def main_scores(self) -> tuple[Metric, ...]:
        """The scores of the main tables, whose differences are tested."""
        return tuple(metric for metric in self.scores if "terminal" in metric.places)

    @property
    def folders(self) -> Sequence[str]:
        """The names of the folders."""
        return tuple(self.tables)

    def year_of(self, metric: Metric) -> str:
        """Return the challenges that define a score, for its heading; empty if all main scores have the same."""
        return metric.challenge if len({other.challenge for other in self.main_scores}) > 1 else ""

    def missed(self, folder: str) -> frozenset[str]:
        """Return the cases without a valid prediction in a folder."""
        summary = self.summaries[folder]
        return frozenset([*summary["missing"], *(row["case"] for row in summary["unusable"])])

    def mean(self, folder: str, structure: str, metric: Metric) -> Mapping[str, Any]:
        """Return the statistics of a score of a folder, as in its summary."""
        statistics: Mapping[str, Any] = self.summaries[folder]["structures"][structure]["scores"][metric.name]
        return statistics

    def difference(self, folder: str, structure: str, metric: Metric) -> Mapping[str, Any] | None:
        """Return the difference of a folder from the baseline; None for that folder and without others."""
        if self.comparison is None:
            return None
        differences: Mapping[str, Any] = self.comparison["structures"][structure][metric.name]["differences"]
        return differences.get(folder)

    def is_best(self, folder: str, structure: str, metric: Metric) -> bool:
        """Return whether no other folder has a better mean on pages; False for a single folder."""
        if len(self.folders) == 1:
            return False
        gains = {name: self._gain(name, structure, metric) for name in self.folders}
        known = [gain for gain in gains.values() if gain is not None]
        return bool(known) and gains[folder] == max(known)

    def _gain(self, folder: str, structure: str, metric: Metric) -> float | None:
        """Return the mean as pages round it, larger if it is better."""
        mean = self.mean(folder, structure, metric)["mean"]
        if mean is None:
            return None
        rounded = float(metric.text(mean))
        return {"higher": rounded, "lower": -rounded, "nearer_zero": -abs(rounded)}[metric.better]
