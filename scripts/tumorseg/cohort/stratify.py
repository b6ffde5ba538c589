"""Which cases are held out together: those of a patient always, and each fold as like the others as can be."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from tumorseg.cohort.splits import Assignment
from tumorseg.errors import UserError


def split(table: pd.DataFrame, *, folds: int, validation_fraction: float, seed: int) -> list[Assignment]:
    """The fold of each usable case of a manifest, sorted by case.

    folds > 1: the fold in which the case is held out, 0 to folds - 1. folds = 1: about `validation_fraction` of the
    cases are held out in fold 0, all others have -1. All cases of a patient share a fold. Folds are alike in the
    presence of enhancing tumour and in tumour size (thirds of the cases with it, and of those without), as far as the
    number of patients allows (scikit-learn's StratifiedGroupKFold). The order of the rows does not matter.
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
    parts = folds if folds > 1 else min(max(2, round(1 / validation_fraction)), patients)
    splitter = StratifiedGroupKFold(parts, shuffle=True, random_state=seed)
    fold = np.full(len(cases), -1)
    strata = next(_sufficient(cases, parts))
    for number, (_, validation) in enumerate(splitter.split(cases, strata, groups=cases["patient"])):
        if folds > 1 or number == 0:
            fold[validation] = number
    return [Assignment(*row) for row in zip(cases["case"], cases["patient"], fold.tolist(), strict=True)]


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
