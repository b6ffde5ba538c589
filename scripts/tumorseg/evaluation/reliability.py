"""Compare what models said about their masks of held-out cases with the truth: expected Dice, intervals of volumes.

What is expected of a case comes from the other patients only, as for a new patient.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from tumorseg.cohort.splits import FoldAssignment
from tumorseg.errors import UserError
from tumorseg.metrics.conformal import volume_interval
from tumorseg.metrics.expected_dice import expected_dice, fit_dice
from tumorseg.metrics.held_out import Estimate, HeldOut
from tumorseg.metrics.mask_quality import MaskQuality
from tumorseg.networks.held_out_quality import HeldOutCase, HeldOutCases, cases_of_structure
from tumorseg.task import Task

RELIABILITY_TEXT_COLUMNS = ("case", "region", "covered", "covered_from_other_folds")
"""The text columns of the table. All other columns are numbers."""


def fold_held_out_cases(
    record: Mapping[str, Any], scores: pd.DataFrame, splits: Sequence[FoldAssignment], task: Task
) -> dict[str, HeldOutCase]:
    """Return the held-out cases of a fold by name.

    Args:
        record: record of the predictions of the fold.
        scores: the rows of results/evaluation/cases.csv.
        splits: patient of each case.
        task: defines the structures.

    Raises:
        UserError: the record or the table of scores lacks a case.
    """
    patients = {assignment.case: assignment.patient for assignment in splits if assignment.case in record["cases"]}
    numbers = {patient: number for number, patient in enumerate(sorted(set(patients.values())))}
    rows = {str(case): group.set_index("region") for case, group in scores.groupby("case")}
    try:
        return {
            case: HeldOutCase(
                numbers[patients[case]],
                tuple(str(rows[case]["channels"].iloc[0]).split(",")),
                {
                    name: HeldOut(
                        patient=numbers[patients[case]],
                        estimate=Estimate(
                            float(rows[case].at[name, "predicted_mm3"]),
                            MaskQuality.from_json(entry["quality"][0][name]),
                        ),
                        reference_mm3=float(rows[case].at[name, "reference_mm3"]),
                        dice=float(rows[case].at[name, "dice"]),
                    )
                    for name in task.structures
                },
            )
            for case, entry in sorted(record["cases"].items())
        }
    except (KeyError, IndexError, TypeError) as error:
        raise UserError(
            f"the predictions of fold {record['fold']} do not fit the table of scores ({error!r}); delete "
            "results/predictions and run again"
        ) from None


def reliability_table(folds: Sequence[Mapping[str, HeldOutCase]], task: Task) -> pd.DataFrame:
    """Return a row for each held-out case and structure.

    Args:
        folds: held-out cases of each fold, by name.
        task: defines the structures.

    Returns:
        The columns `case`, `fold`, `region`; `dice` and `reference_mm3`, the truth; `soft_dice` and `predicted_mm3`,
        what the model said; `expected_dice`, `low_mm3` and `high_mm3`, expected from the other patients; `covered`
        (`true` if the interval contains the true volume, else `false`) and `covered_from_other_folds`, the same with
        the interval from the cases of the other folds. Cells are empty if there are too few patients.
    """
    models = [(str(fold), HeldOutCases(tuple(cases.values()), {})) for fold, cases in enumerate(folds)]
    rows = (
        _row(name, fold, case, structure, cases_of_structure(models, structure, case.channels))
        for fold, cases in enumerate(folds)
        for name, case in cases.items()
        for structure in task.structures
    )
    return pd.DataFrame(rows)


def _row(name: str, fold: int, case: HeldOutCase, structure: str, held_out: list[list[HeldOut]]) -> dict[str, Any]:
    found = case.structures[structure]
    estimates = [found.estimate] * len(held_out)
    others = list(_without_patient(held_out, (str(fold), case.patient)))
    other_folds = [cases if number != fold else [] for number, cases in enumerate(held_out)]
    interval = volume_interval(others, estimates)
    line = fit_dice([other for cases in others for other in cases])
    return {
        "case": name,
        "fold": fold,
        "region": structure,
        "dice": found.dice,
        "expected_dice": expected_dice(line, [found.estimate]),
        "soft_dice": found.estimate.quality.soft_dice,
        "reference_mm3": found.reference_mm3,
        "predicted_mm3": found.estimate.mm3,
        "low_mm3": interval[0] if interval else None,
        "high_mm3": interval[1] if interval else None,
        "covered": _covered(interval, found.reference_mm3),
        "covered_from_other_folds": _covered(volume_interval(other_folds, estimates), found.reference_mm3),
    }


def _without_patient(held_out: Sequence[Sequence[HeldOut]], patient: tuple[str, int]) -> Iterator[list[HeldOut]]:
    for cases in held_out:
        yield [case for case in cases if case.patient != patient]


def _covered(interval: tuple[float, float] | None, mm3: float) -> str:
    if interval is None:
        return ""
    return "true" if interval[0] <= mm3 <= interval[1] else "false"
