"""The scores of each case as the report's table shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import pandas as pd

from tumorseg.task import Task

_MM3_PER_ML: Final = 1000


@dataclass(frozen=True)
class CaseFacts:
    """A held-out case.

    anchor: of its row on the page. dice: by structure. absent: the structures that its reference lacks, whose scores
    are a convention; far: those that its reference or its prediction lacks, whose distances are one. mean_dice: over
    the labels. lesionwise_dice, hd95 (mm): by region. volumes: reference and prediction of the whole tumour in
    ml.
    """

    case: str
    anchor: str
    patient: str
    fold: int
    dice: dict[str, float]
    absent: frozenset[str]
    far: frozenset[str]
    mean_dice: float
    lesionwise_dice: dict[str, float]
    hd95: dict[str, float]
    volumes: tuple[float, float]


def case_facts(scores: pd.DataFrame, patients: Mapping[str, str], task: Task) -> list[CaseFacts]:
    """The facts of each case, sorted by case.

    scores: the rows of results/evaluation/cases.csv. patients: of each case.
    """
    return [
        _of(str(case), number, rows.set_index("region"), patients[str(case)], task)
        for number, (case, rows) in enumerate(scores.groupby("case"), start=1)
    ]


def _of(case: str, number: int, rows: pd.DataFrame, patient: str, task: Task) -> CaseFacts:
    dice = {structure: float(rows.at[structure, "dice"]) for structure in task.structures}
    empty = {
        column: [structure for structure in task.structures if rows.at[structure, column] == 0]
        for column in ("reference_voxels", "predicted_voxels")
    }
    volumes = rows.loc[task.whole, ["reference_mm3", "predicted_mm3"]].astype(float) / _MM3_PER_ML
    return CaseFacts(
        case=case,
        anchor=f"case-{number}",
        patient=patient,
        fold=int(rows["fold"].iloc[0]),
        dice=dice,
        absent=frozenset(empty["reference_voxels"]),
        far=frozenset(empty["reference_voxels"] + empty["predicted_voxels"]),
        mean_dice=fmean(dice[label] for label in task.label_structures),
        lesionwise_dice={region: float(rows.at[region, "lesionwise_dice"]) for region in task.region_labels},
        hd95={region: float(rows.at[region, "hd95"]) for region in task.region_labels},
        volumes=(float(volumes.iloc[0]), float(volumes.iloc[1])),
    )
