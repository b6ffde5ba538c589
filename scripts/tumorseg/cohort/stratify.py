"""Which cases are held out together: those of a patient always, and each fold as like the others as can be."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from tumorseg.cohort.splits import Assignment
from tumorseg.errors import UserError

FINEST_PARTS: Final = 20
"""A fraction is k of n parts, and n at most this: more parts would leave coarser strata. Only a 1 of n goes beyond."""


def split(table: pd.DataFrame, *, folds: int, validation_fraction: float, seed: int) -> list[Assignment]:
    """The fold of each usable case of a manifest, sorted by case.

    folds > 1: the fold in which the case is held out, 0 to folds - 1. folds = 1: `validation_fraction` of the cases, in
    (0, 0.5], as nearly as whole patients allow, are held out in fold 0, all others have -1. All cases of a patient
    share a fold. Folds are alike in the presence of enhancing tumour and in tumour size (thirds of the cases with it,
    and of those without), as far as the number of patients allows (scikit-learn's StratifiedGroupKFold). The order of
    the rows does not matter.
    Raises UserError where there are too few patients.
    """
    cases = table[table["usable"]].sort_values("case", ignore_index=True)
    patients = cases["patient"].nunique()
    if patients < max(folds, 2):
        key = "folds" if folds > 1 else "validation_fraction"
        raise UserError(
            f"cohort.{key}: there are only {patients} usable patients for {max(folds, 2)} parts; "
            "add cases, or ask for fewer parts"
        )
    if folds > 1:
        fold = _parts(cases, folds, seed)
    else:
        number = min(_number_of_parts(validation_fraction), patients)
        part = _parts(cases, number, seed)
        fold = np.where(np.isin(part, _held_out(np.bincount(part, minlength=number), validation_fraction)), 0, -1)
    return [Assignment(*row) for row in zip(cases["case"], cases["patient"], fold.tolist(), strict=True)]


def _parts(cases: pd.DataFrame, number: int, seed: int) -> NDArray[np.int64]:
    """The part of each case, 0 to number - 1."""
    part = np.empty(len(cases), np.int64)
    splitter = StratifiedGroupKFold(number, shuffle=True, random_state=seed)
    strata = next(_sufficient(cases, number))
    for index, (_, chosen) in enumerate(splitter.split(cases, strata, groups=cases["patient"])):
        part[chosen] = index
    return part


def _number_of_parts(fraction: float) -> int:
    return Fraction(fraction).limit_denominator(max(FINEST_PARTS, round(1 / fraction))).denominator


def _held_out(sizes: NDArray[np.int64], fraction: float) -> list[int]:
    """Which of the parts make up the fraction: the first, then each time the one that keeps nearest to the share."""
    number = max(1, round(fraction * len(sizes)))
    share = fraction * sizes.sum() / number
    held = [0]
    while len(held) < number:
        missing = share * (len(held) + 1) - sizes[held].sum()
        others = (part for part in range(len(sizes)) if part not in held)
        held.append(min(others, key=lambda part: abs(sizes[part] - missing)))
    return held


def _sufficient(cases: pd.DataFrame, parts: int) -> Iterator[pd.Series]:
    """Strata of the cases, finest first, that have a patient for every part each; the last is one stratum for all."""
    tumour = cases[["label_1", "label_2", "label_4"]].sum(axis="columns").astype(int)
    enhancing = cases["label_4"] > 0
    third = _thirds(tumour).astype(str)
    third_of_its_kind = tumour.groupby(enhancing).transform(_thirds).astype(str)
    for strata in (
        enhancing.astype(str) + third_of_its_kind,
        third_of_its_kind.where(enhancing, "none"),
        third,
        enhancing.astype(str),
    ):
        if cases["patient"].groupby(strata).nunique().min() >= parts:
            yield strata
    yield pd.Series("all", index=cases.index)


def _thirds(sizes: pd.Series) -> pd.Series:
    return (sizes.rank(method="first") - 1) * 3 // len(sizes)
