"""The training cases of the learning curve: subsets of a fold's training cases, chosen by patient."""

import hashlib
from collections.abc import Iterable, Sequence

import pandas as pd

from tumorseg.cohort.splits import FoldAssignment
from tumorseg.errors import UserError
from tumorseg.formatting import format_count

SUBSET_COLUMNS = ("fold", "seed", "number", "case", "patient")


def order_training_cases(splits: Iterable[FoldAssignment], fold: int, seed: int) -> list[FoldAssignment]:
    """Return the training cases of a fold in the order in which the learning curve takes them.

    Patients are in random order, and the cases of a patient follow each other. The first cases are a subset, so smaller
    subsets are part of larger ones. The order does not depend on the table of splits, and hardly changes if cases are
    added or removed: each patient has a place of its own.

    Args:
        splits: the fold of each case.
        fold: the fold whose cases are held out.
        seed: seed of the order.
    """

    def place(row: FoldAssignment) -> tuple[str, str, str]:
        return hashlib.sha256(f"{seed} {fold} {row.patient}".encode()).hexdigest(), row.patient, row.case

    return sorted((row for row in splits if row.fold != fold), key=place)


def choose_cases(splits: Iterable[FoldAssignment], fold: int, seed: int, size: int) -> list[FoldAssignment]:
    """Return the training cases of a subset.

    Args:
        splits: the fold of each case.
        fold: the fold whose cases are held out.
        seed: seed of the order of the patients.
        size: number of cases.

    Raises:
        UserError: the fold has fewer training cases.
    """
    cases = order_training_cases(splits, fold, seed)
    require_enough_cases({fold: len(cases)}, [size])
    return cases[:size]


def require_enough_cases(training_cases: dict[int, int], sizes: Sequence[int]) -> None:
    """Check that every fold has enough training cases for each subset.

    Args:
        training_cases: number of training cases by fold.
        sizes: numbers of cases of the subsets.

    Raises:
        UserError: a fold has fewer cases than the largest subset needs.
    """
    fold, found = min(training_cases.items(), key=lambda item: item[1])
    if too_large := [size for size in sorted(sizes) if size > found]:
        raise UserError(
            f"learning_curve.cases: {', '.join(map(str, too_large))}: too many, as fold {fold} has only "
            f"{format_count(found, 'training case')}; use numbers up to {found}, or add cases"
        )


def subset_table(
    splits: Sequence[FoldAssignment], folds: Iterable[int], seeds: Sequence[int], sizes: Sequence[int]
) -> pd.DataFrame:
    """Return the order in which each training of the learning curve takes the training cases.

    Args:
        splits: the fold of each case.
        folds: the folds.
        seeds: seeds of the learning curve.
        sizes: numbers of cases of the subsets.

    Returns:
        A row for each fold, seed and training case: its number from 1, its name and its patient. The subset of n cases
        has the numbers 1 to n.

    Raises:
        UserError: a fold has fewer cases than the largest subset needs.
    """
    orders = {(fold, seed): order_training_cases(splits, fold, seed) for fold in folds for seed in seeds}
    require_enough_cases({fold: len(cases) for (fold, _), cases in orders.items()}, sizes)
    rows = [
        (fold, seed, number, row.case, row.patient)
        for (fold, seed), cases in orders.items()
        for number, row in enumerate(cases, start=1)
    ]
    return pd.DataFrame(rows, columns=list(SUBSET_COLUMNS))
