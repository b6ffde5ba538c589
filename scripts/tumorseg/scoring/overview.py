"""The most asked-for means of some folders of masks, as lines of plain text."""

from collections.abc import Mapping
from typing import Any

from tumorseg.metrics.registry import metrics
from tumorseg.task import Task


def overview(summaries: Mapping[str, Mapping[str, Any]], task: Task) -> list[str]:
    """A line for each region of each folder, under a heading. summaries: by folder, as summary.json holds them."""
    shown = metrics("terminal")
    table = [["folder", "cases", "missing", "unusable", "mean", *(metric.heading for metric in shown)]]
    for folder, summary in summaries.items():
        counts = [summary["cases"], len(summary["missing"]), len(summary["unusable"])]
        for region in task.region_labels:
            scores = summary["structures"][region]["scores"]
            means = [metric.text(scores[metric.name]["mean"]) for metric in shown]
            table.append([folder, *map(str, counts), region, *means])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in table]
