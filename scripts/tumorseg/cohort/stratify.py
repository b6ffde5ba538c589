"""Which cases are held out together: those of a patient always, each fold as like the others as can be, and stable.

All patients stand on one line, ordered so that every stretch of it is stratified; folds are cut from it. A patient's
place hangs on a digest of its name and on its rank within its stratum, so a case that is added or removed moves only
patients next to a cut. scikit-learn's StratifiedGroupKFold fills its folds patient by patient from one shuffle of all:
a single added case gives most of the others another fold.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.cohort.splits import Assignment
from tumorseg.errors import UserError
from tumorseg.task import Task


def split(table: pd.DataFrame, *, task: Task, folds: int, validation_fraction: float, seed: int) -> list[Assignment]:
    """The fold of each usable case of a manifest, sorted by case.

    folds > 1: the fold in which the case is held out, 0 to folds - 1. folds = 1: `validation_fraction` of the cases, in
    (0, 0.5], as nearly as whole patients allow, are held out in fold 0, all others have -1. All cases of a patient
    share a fold. Folds are alike in the presence of tumour and, if the task has it, of enhancing tumour, and in size
    (thirds of the patients of each kind), as far as the number of patients allows. The order of the rows does not
    matter, and most cases keep their fold when others are added or removed. Raises UserError where there are too few
    patients.
    """
    cases = table[table["usable"]].sort_values("case", ignore_index=True)
    patients = _line(cases, task, seed)
    if len(patients) < max(folds, 2):
        key = "folds" if folds > 1 else "validation_fraction"
        example = ", ".join(cases["case"].head(2))
        taken = f"; {len(cases)} cases (such as {example}) are taken for theirs: if that is wrong, set cohort.patient"
        hint = taken if len(patients) < len(cases) else ""
        raise UserError(
            f"cohort.{key}: there are only {len(patients)} usable patients for {max(folds, 2)} parts; "
            f"add cases, or ask for fewer parts{hint}"
        )
    shares = [part / folds for part in range(1, folds)] if folds > 1 else [validation_fraction]
    parts = np.searchsorted(_cuts(patients.to_numpy(), shares), np.arange(len(patients)), side="right")
    fold = dict(zip(patients.index, (parts if folds > 1 else -parts).tolist(), strict=True))
    return [
        Assignment(case, patient, fold[patient]) for case, patient in zip(cases["case"], cases["patient"], strict=True)
    ]


def _line(cases: pd.DataFrame, task: Task, seed: int) -> pd.Series:
    """The number of cases of each patient, in the order of the line.

    A patient's place on it, in (0, 1), is the share of the cases of its stratum that stand before it. The stratum: its
    kind (no tumour in any of its cases, tumour, enhancing tumour), and the third of its largest tumour, if it has one,
    among patients of that kind.
    """
    whole = [f"label_{label}" for label in task.region_labels[task.whole]]
    tumour, enhancing = cases[whole].sum(axis="columns").astype(int), task.label_of("enhancing")
    enhances = cases[f"label_{enhancing}"] > 0 if enhancing is not None else False
    by_patient = cases.assign(tumour=tumour, enhancing=enhances).groupby("patient")
    patients = by_patient.agg(cases=("case", "size"), tumour=("tumour", "max"), enhancing=("enhancing", "any"))
    patients["digest"] = [hashlib.sha256(f"{seed} {patient}".encode()).hexdigest() for patient in patients.index]
    patients = patients.sort_values("digest")
    kind = (patients["tumour"] > 0).astype(int) + patients["enhancing"]
    third = patients.groupby(kind)["tumour"].transform(_thirds).astype(int).where(patients["tumour"] > 0, 1)
    stratum = patients.groupby([kind, third])["cases"]
    # The thirds of a kind stand a third of a step apart: a kind of few patients is then spread evenly over the line.
    before = stratum.cumsum() - patients["cases"]
    place = (before + patients["cases"] * (2 * third + 1) / 6) / stratum.transform("sum")
    return patients.assign(place=place).sort_values(["place", "digest"])["cases"]


def _thirds(sizes: pd.Series) -> pd.Series:
    # By the middle of each rank, so that a lone patient is of the middle third, halfway along the line.
    return (sizes.rank(method="first") - 0.5) * 3 // len(sizes)


def _cuts(sizes: NDArray[np.int64], shares: Sequence[float]) -> list[int]:
    """How many patients stand before each cut: those whose cases come nearest to the share of all cases.

    sizes: cases of each patient. shares: rising, in (0, 1). There is a patient before, between and after the cuts.
    """
    total = np.cumsum(sizes)
    cuts: list[int] = []
    for index, share in enumerate(shares):
        first, last = (cuts[-1] if cuts else 0) + 1, len(sizes) - len(shares) + index
        cuts.append(first + int(np.abs(total[first - 1 : last] - share * total[-1]).argmin()))
    return cuts
