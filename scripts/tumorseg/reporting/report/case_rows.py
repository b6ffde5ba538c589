"""The rows of the table of all cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import pandas as pd

from tumorseg.formatting import format_list
from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.registry import RANKED_BY, metrics
from tumorseg.task import Task

_MM3_PER_ML: Final = 1000


@dataclass(frozen=True)
class CaseRow:
    """A row of the table of all cases: the scores of a held-out case.

    Attributes:
        case: the case id.
        anchor: the anchor of its row on the page.
        patient: the patient.
        fold: the fold in which it is held out.
        scores: by metric, then by structure, in the unit of the table of scores.
        conventions: for each metric the structures whose score is defined by convention.
        ranked_by: the mean over the labels of the metric that cases are ranked by.
        volumes_ml: volume of the whole tumour in the reference and in the prediction, in ml.
        missing: titles of the images that the case lacks.
    """

    case: str
    anchor: str
    patient: str
    fold: int
    scores: dict[str, dict[str, float]]
    conventions: dict[str, frozenset[str]]
    ranked_by: float
    volumes_ml: tuple[float, float]
    missing: tuple[str, ...]


def case_rows(scores: pd.DataFrame, patients: Mapping[str, str], task: Task) -> list[CaseRow]:
    """Return the rows of the table of all cases, sorted by case id.

    Args:
        scores: the rows of results/evaluation/cases.csv.
        patients: the patient of each case.
        task: defines the channels, labels and regions.
    """
    return [
        _case_row(str(case), number, rows.set_index("region"), patients[str(case)], task)
        for number, (case, rows) in enumerate(scores.groupby("case"), start=1)
    ]


def describe_conventions(table_metrics: Sequence[Metric]) -> str:
    """Return when scores are defined by convention, as a phrase that starts with `for Dice if the structure is …`."""
    rules = {
        "reference": "is absent from the reference ({best} if it is absent from the prediction too, else {worst})",
        "either": "is absent from the reference or the prediction ({best} if it is absent from both, else {worst})",
    }
    metrics_by_rule: dict[str, list[str]] = {}
    for metric in table_metrics:
        if metric.needs in rules and metric.worst is not None:
            best, worst = (f"{value / metric.divisor:g} {metric.unit}".strip() for value in (metric.best, metric.worst))
            metrics_by_rule.setdefault(rules[metric.needs].format(best=best, worst=worst), []).append(
                metric.name_in_tables
            )
    return "; ".join(f"for {format_list(names)} if the structure {rule}" for rule, names in metrics_by_rule.items())


def _case_row(case: str, number: int, rows: pd.DataFrame, patient: str, task: Task) -> CaseRow:
    voxels, channels = rows[["reference_voxels", "predicted_voxels"]], rows["channels"].iloc[0].split(",")
    volumes_ml = rows.loc[task.whole_tumour, ["reference_mm3", "predicted_mm3"]].astype(float) / _MM3_PER_ML
    return CaseRow(
        case=case,
        anchor=f"case-{number}",
        patient=patient,
        fold=int(rows["fold"].iloc[0]),
        scores={
            metric.name: {structure: float(rows.at[structure, metric.name]) for structure in task.structures}
            for metric in metrics("report_cases")
        },
        conventions={
            metric.name: frozenset(
                structure for structure in task.structures if metric.is_convention(*voxels.loc[structure])
            )
            for metric in metrics("report_cases")
        },
        ranked_by=fmean(float(rows.at[label, RANKED_BY]) for label in task.label_structures),
        volumes_ml=(float(volumes_ml.iloc[0]), float(volumes_ml.iloc[1])),
        missing=tuple(title for name, title in task.channel_titles.items() if name not in channels),
    )
