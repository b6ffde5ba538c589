"""The main scores as tables for a paper: CSV, and LaTeX with booktabs. Numbers have the digits of the metrics."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from tumorseg.evaluation.score_set import ScoreSet
from tumorseg.formatting import format_list
from tumorseg.metrics.bootstrap import FEW_CASES
from tumorseg.metrics.metric_record import Metric
from tumorseg.task import Task

_ESCAPED: Final = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "−": "$-$",
    "³": r"\textsuperscript{3}",
}
_SPECIAL: Final = re.compile(f"[{re.escape(''.join(_ESCAPED))}]")


def csv_table(sets: Sequence[ScoreSet], task: Task) -> pd.DataFrame:
    """Return a table with one row for each main score, region and folder.

    Args:
        sets: the sets of scores.
        task: defines the regions.

    Returns:
        Columns: `challenge` (empty for a score in general use), `score`, `unit`, `region`, `folder`, `cases` with a
        value, `mean`, `low`, `high`, the same of the difference from the baseline, `p` and `p_holm`. Numbers
        are text with the digits of pages, or empty.
    """
    return pd.DataFrame(
        [
            _csv_row(scored, folder, region, metric)
            for scored in sets
            for metric in scored.main_scores
            for region in task.region_labels
            for folder in scored.folders
        ]
    )


def _csv_row(scored: ScoreSet, folder: str, region: str, metric: Metric) -> dict[str, Any]:
    def texts(numbers: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
        for name in names:
            value = numbers.get(name)
            yield "" if value is None else f"{float(metric.text(value)):z.{metric.decimals}f}"

    mean = scored.mean(folder, region, metric)
    difference = scored.difference(folder, region, metric) or {}
    names = ("mean", "low", "high")
    return {
        "challenge": metric.challenge,
        "score": metric.name,
        "unit": metric.unit,
        "region": region,
        "folder": folder,
        "cases": mean["n"],
        **dict(zip(names, texts(mean, names), strict=True)),
        **dict(
            zip(
                ("difference", "difference_low", "difference_high"),
                texts(difference, ("difference", "low", "high")),
                strict=True,
            )
        ),
        **{name: _p_text(difference.get(name)) for name in ("p", "p_holm")},
    }


def _p_text(value: float | None) -> str:
    """Return a p value with two significant digits."""
    return "" if value is None else f"{value:.2g}"


def latex_tables(sets: Sequence[ScoreSet], task: Task) -> str:
    """Return a LaTeX table for each set of scores, with a block of rows for each region.

    Args:
        sets: the sets of scores.
        task: defines the regions.
    """
    head = "% Written by the target score. It needs \\usepackage{booktabs} and \\usepackage{graphicx}.\n"
    return head + "\n".join(_latex_table(scored, task) for scored in sets)


def _latex_table(scored: ScoreSet, task: Task) -> str:
    metrics = scored.main_scores
    columns = 1 + len(metrics)
    headings = ["Folder", *(latex_text(_heading(metric, scored)) for metric in metrics)]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_caption(scored, task.region_labels)}}}",
        rf"\label{{tab:scores-{scored.name}}}",
        r"\resizebox{\textwidth}{!}{%",
        rf"\begin{{tabular}}{{l{'r' * len(metrics)}}}",
        r"\toprule",
        _row(headings),
    ]
    for region in task.region_labels:
        name = latex_text(f"{region}: {task.structure_titles[region]}")
        lines += [r"\midrule", rf"\multicolumn{{{columns}}}{{l}}{{\textit{{{name}}}}} \\"]
        for folder in scored.folders:
            cells = [_latex_cell(scored, folder, region, metric) for metric in metrics]
            lines.append(_row([f"{{{latex_text(folder)}}}", *cells]))  # braces: \\ would read [ or * as its argument
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}%", "}", r"\end{table}", ""])


def _heading(metric: Metric, scored: ScoreSet) -> str:
    year = f" ({year})" if (year := scored.year_of(metric)) else ""
    return f"{metric.title}{year}{f', {metric.unit}' if metric.unit else ''}"


def _caption(scored: ScoreSet, regions: Iterable[str]) -> str:
    summary = next(iter(scored.summaries.values()))
    cases, confidence = summary["cases"], f"{100 * summary['confidence']:g}"
    interval = f" with {confidence} % bootstrap interval" if cases >= FEW_CASES else ""
    left_out = any(
        scored.mean(folder, region, metric).get("without_value")
        for folder in scored.folders
        for region in regions
        for metric in scored.main_scores
    )
    counted = [f"{len(missed)} of {folder}" for folder in scored.folders if (missed := scored.missed(folder))]
    sentences = [
        f"{scored.title}. Mean over the cases (n = {cases}){interval}.",
        "Cases without a value are left out; a cell then has its own n." if left_out else "",
        "The best mean of each region is bold." if len(scored.folders) > 1 else "",
        f"Cases without a valid mask have the worst score: {format_list(counted)}." if counted else "",
    ]
    return latex_text(" ".join(filter(None, sentences)))


def _latex_cell(scored: ScoreSet, folder: str, region: str, metric: Metric) -> str:
    numbers = scored.mean(folder, region, metric)
    if numbers["mean"] is None:
        return "--"
    mean = latex_text(metric.text(numbers["mean"]).replace("-", "−"))
    if scored.is_best(folder, region, metric):
        mean = rf"\textbf{{{mean}}}"
    notes = []
    if numbers["n"] > 1 and scored.summaries[folder]["cases"] >= FEW_CASES:
        notes.append(" to ".join(metric.text(numbers[end]).replace("-", "−") for end in ("low", "high")))
    if numbers.get("without_value"):
        notes.append(f"n = {numbers['n']}")
    return rf"{mean} {{\footnotesize({latex_text('; '.join(notes))})}}" if notes else mean


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def latex_text(text: str) -> str:
    r"""Return text in which LaTeX finds no commands.

    Example:
        >>> latex_text("50 % of a_b")
        '50 \\% of a\\_b'
    """
    return _SPECIAL.sub(lambda found: _ESCAPED[found[0]], text)
