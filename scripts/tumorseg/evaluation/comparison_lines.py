"""Lines for the terminal about a comparison of folders: the paired differences and the ranking."""

from collections.abc import Mapping, Sequence
from typing import Any

from tumorseg.formatting import format_decimal, format_p
from tumorseg.metrics.metric_record import Metric
from tumorseg.task import Task


def difference_lines(comparison: Mapping[str, Any], metric: Metric, task: Task) -> list[str]:
    """Return a table with a line for each folder and region: its difference from the baseline in one score.

    Args:
        comparison: result of `metrics.comparison.compare`.
        metric: the score.
        task: defines the regions.
    """
    percent = f"{100 * comparison['confidence']:g} % interval"
    table = [["folder", "region", metric.heading, percent, "better", "equal", "worse", "p", "p (Holm)"]]
    for region in task.region_labels:
        for folder, numbers in comparison["structures"][region][metric.name]["differences"].items():
            counts = [str(numbers[key]) for key in ("better", "equal", "worse")]
            corrected = numbers["p_holm"]
            p_values = [format_p(numbers["p"]), "–" if corrected is None else format_p(corrected)]
            table.append([folder, region, *difference_texts(numbers, metric), *counts, *p_values])
    return align(table)


def ranking_lines(ranking: Mapping[str, Any], confidence: float) -> list[str]:
    """Return a table with a line for each folder, in the order of the ranking.

    Args:
        ranking: result of `metrics.ranking.rank_folders`.
        confidence: of the intervals of the ranks.
    """
    table = [["folder", "rank", f"{100 * confidence:g} % interval", "mean rank"]]
    for folder, numbers in ranked_folders(ranking):
        interval = f"{numbers['low']} to {numbers['high']}"
        table.append([folder, str(numbers["rank"]), interval, f"{numbers['mean_rank']:.2f}"])
    return align(table)


def ranked_folders(ranking: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the folders with their numbers, best first; folders of one rank stay in their order."""
    return sorted(ranking["folders"].items(), key=lambda item: item[1]["rank"])


def difference_texts(numbers: Mapping[str, Any], metric: Metric) -> tuple[str, str]:
    """Return a mean difference and its interval in the unit of pages, such as `+0.012` and `−0.003 to +0.027`."""
    if numbers["difference"] is None:
        return "–", "–"
    mean, low, high = (signed_text(numbers[key], metric) for key in ("difference", "low", "high"))
    return mean, f"{low} to {high}"


def signed_text(value: float, metric: Metric) -> str:
    """Return a difference in the unit of pages with its sign: `+0.012`, `−0.4`, `0.000`."""
    text = format_decimal(value / metric.divisor, metric.decimals)
    is_zero = not text.strip("−0.,")
    return text if text.startswith("−") or is_zero else f"+{text}"


def align(table: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows of a table as lines: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in table]
