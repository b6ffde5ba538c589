"""Find the cases with the lowest scores, and describe what is wrong with their masks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from tumorseg.formatting import format_count, format_decimal
from tumorseg.reporting.report.case_rows import CaseRow
from tumorseg.reporting.report.structures import distinct_structures
from tumorseg.task import Task

_MOST_CASES: Final = 3
_STRUCTURES: Final = 2
"""Number of structures that are described for each case, those with the lowest Dice."""
_MM3_PER_ML: Final = 1000


@dataclass(frozen=True)
class Failure:
    """A case with a low score.

    Attributes:
        row: its row in the table of cases.
        reasons: sentences about its worst structures.
    """

    row: CaseRow
    reasons: tuple[str, ...]


def worst_cases(scores: pd.DataFrame, rows: Sequence[CaseRow], task: Task) -> list[Failure]:
    """Return the cases with the lowest mean Dice over the labels, worst first: at most three, and at most half of all.

    Args:
        scores: the rows of results/evaluation/cases.csv.
        rows: the rows of the table of cases.
        task: defines the structures.
    """
    by_case = {str(case): part.set_index("region") for case, part in scores.groupby("case")}
    count = max(1, min(_MOST_CASES, len(rows) // 2))
    worst = sorted(rows, key=lambda row: (row.ranked_by, row.case))[:count]
    return [Failure(row, tuple(_reasons(row, by_case[row.case], task))) for row in worst]


def _reasons(row: CaseRow, scores: pd.DataFrame, task: Task) -> Iterator[str]:
    dice = {name: float(scores.at[name, "dice"]) for name in distinct_structures(task)}
    for name in sorted(dice, key=lambda name: dice[name])[:_STRUCTURES]:
        if dice[name] < 1:
            yield f"{_upper_first(task.structure_titles[name])}: {_describe(scores.loc[name])}"
    if row.missing:
        yield f"The case lacks {', '.join(row.missing)}."


def _describe(scores: pd.Series) -> str:
    """Return a sentence about the mask of a structure."""
    reference, predicted = float(scores["reference_mm3"]), float(scores["predicted_mm3"])
    if not scores["reference_voxels"]:
        return f"{_ml(predicted)} predicted, although the reference has none. Its Dice is 0 by convention."
    if not scores["predicted_voxels"]:
        return f"not predicted at all. The reference has {_ml(reference)}."
    voxel_mm3 = reference / float(scores["reference_voxels"])
    shared = float(scores["true_positives"]) * voxel_mm3
    parts = [f"Dice {scores['dice']:.3f}. {_ml(reference - shared)} of {_ml(reference)} missed"]
    parts.append(f"{_ml(predicted - shared)} false")
    if missed := int(scores["lesions_missed"]):
        parts.append(f"{missed:,} of {format_count(missed + int(scores['lesions_found']), 'lesion')} missed")
    if false := int(scores["lesions_false"]):
        touch = "touches" if false == 1 else "touch"
        parts.append(f"{format_count(false, 'predicted component')} {touch} no lesion")
    return f"{'; '.join(parts)}."


def _ml(mm3: float) -> str:
    ml = mm3 / _MM3_PER_ML
    return f"{format_decimal(ml, 2 if ml < 1 else 1)} ml"


def _upper_first(text: str) -> str:
    return text[0].upper() + text[1:]
