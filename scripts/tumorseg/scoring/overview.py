"""The most asked-for means of some folders of masks, as lines of plain text."""

from collections.abc import Mapping
from typing import Any, Final

from tumorseg.task import Task

_SCORES: Final = {
    "dice": ("Dice", 3),
    "lesionwise_dice": ("lesion-wise Dice", 3),
    "hd95": ("HD95 as in BraTS (mm)", 1),
    "lesionwise_hd95": ("lesion-wise HD95 (mm)", 1),
}
"""Heading and decimals of each column of numbers."""


def overview(summaries: Mapping[str, Mapping[str, Any]], task: Task) -> list[str]:
    """A line for each region of each folder, under a heading. summaries: by folder, as summary.json holds them."""
    table = [["folder", "cases", "missing", "unusable", "mean", *(heading for heading, _ in _SCORES.values())]]
    for folder, summary in summaries.items():
        counts = [summary["cases"], len(summary["missing"]), len(summary["unusable"])]
        for region in task.region_labels:
            scores = summary["structures"][region]["scores"]
            means = [f"{scores[score]['mean']:.{decimals}f}" for score, (_, decimals) in _SCORES.items()]
            table.append([folder, *map(str, counts), region, *means])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in table]
