"""The scores of each case as the report's table shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import pandas as pd

from tumorseg.counts import listed
from tumorseg.metrics.record import Metric
from tumorseg.metrics.registry import RANKED_BY, metrics
from tumorseg.task import Task

_MM3_PER_ML: Final = 1000


@dataclass(frozen=True)
class CaseFacts:
    """A held-out case.

    anchor: of its row on the page. scores: by metric, then by structure, in the unit of the table of scores.
    conventions: for each metric the structures of which the score is a convention. ranked_by: the mean over the labels
    of the score that cases are ranked by. volumes: reference and prediction of the whole tumour in ml.
    """

    case: str
    anchor: str
    patient: str
    fold: int
    scores: dict[str, dict[str, float]]
    conventions: dict[str, frozenset[str]]
    ranked_by: float
    volumes: tuple[float, float]


def case_facts(scores: pd.DataFrame, patients: Mapping[str, str], task: Task) -> list[CaseFacts]:
    """The facts of each case, sorted by case.

    scores: the rows of results/evaluation/cases.csv. patients: of each case.
    """
    return [
        _of(str(case), number, rows.set_index("region"), patients[str(case)], task)
        for number, (case, rows) in enumerate(scores.groupby("case"), start=1)
    ]


def conventions(shown: Sequence[Metric]) -> str:
    """Return where scores are a convention: `of Dice where the reference lacks the structure (1 where …, else 0)`."""
    where = {
        "reference": "the reference lacks the structure ({best} where the prediction lacks it too, else {worst})",
        "either": "the reference or the prediction lacks the structure ({best} where both do, else {worst})",
    }
    said: dict[str, list[str]] = {}
    for metric in shown:
        if metric.needs in where and metric.worst is not None:
            best, worst = (f"{value / metric.divisor:g} {metric.unit}".strip() for value in (metric.best, metric.worst))
            said.setdefault(where[metric.needs].format(best=best, worst=worst), []).append(metric.name_in_tables)
    return ", ".join(f"of {listed(names)} where {words}" for words, names in said.items())


def _of(case: str, number: int, rows: pd.DataFrame, patient: str, task: Task) -> CaseFacts:
    voxels = rows[["reference_voxels", "predicted_voxels"]]
    volumes = rows.loc[task.whole, ["reference_mm3", "predicted_mm3"]].astype(float) / _MM3_PER_ML
    return CaseFacts(
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
        volumes=(float(volumes.iloc[0]), float(volumes.iloc[1])),
    )
