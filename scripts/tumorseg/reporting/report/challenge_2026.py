"""The scores of BraTS 2025 and 2026 in the report, which are never in one table with those of 2023."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.records_2026 import METRICS_2026
from tumorseg.reporting.shared.paired_plots import case_plot
from tumorseg.task import Task

MAIN_METRICS: Final = tuple(metric for metric in METRICS_2026 if "terminal" in metric.places)
"""The scores of the main table; the others are folded."""
OTHER_METRICS: Final = tuple(metric for metric in METRICS_2026 if metric not in MAIN_METRICS)


@dataclass(frozen=True, eq=False)
class Challenge2026:
    """The scores of a run as in BraTS 2025 and 2026.

    Attributes:
        summary: the content of summary_2026.json.
        plots: region and SVG of the plots of each case, by heading of the score; a region without a value has none.
    """

    summary: Mapping[str, Any]
    plots: Mapping[str, list[tuple[str, str]]]


def challenge_2026(table: pd.DataFrame, summary: Mapping[str, Any], task: Task) -> Challenge2026:
    """Return the scores with their plots.

    Args:
        table: the rows of cases_2026.csv.
        summary: the content of summary_2026.json.
        task: defines the regions.
    """
    plots = {metric.heading: _plots(table, metric, task) for metric in MAIN_METRICS}
    return Challenge2026(summary, {heading: found for heading, found in plots.items() if found})


def _plots(table: pd.DataFrame, metric: Metric, task: Task) -> list[tuple[str, str]]:
    plots = []
    for region in task.region_labels:
        rows = table[(table["region"] == region) & table[metric.name].notna()]
        if len(rows):
            values = rows[[metric.name]].to_numpy(float)
            name = f"{metric.heading} of {region} in each case"
            plots.append((region, case_plot(values, [*map(str, rows["case"])], [""], metric, name=name)))
    return plots
