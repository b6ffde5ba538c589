"""Assign cases to folds, either stratified and grouped by patient or from a user's table; read and write the splits.

For the stratified split, all patients are ordered in one line so that every stretch of it is stratified, and the line
is cut into folds. A patient's position depends on a digest of its name and on its rank within its stratum. Adding or
removing a case therefore moves only patients next to a cut. scikit-learn's StratifiedGroupKFold assigns patients one by
one from a single shuffle: one added case moves most of the others to another fold.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.cohort.user_tables import match_spelling, raise_if_any, read_user_table, with_suggestions
from tumorseg.errors import Message, UserError
from tumorseg.formatting import format_count
from tumorseg.io.tables import read_table, write_table
from tumorseg.task import Task


@dataclass(frozen=True)
class FoldAssignment:
    """A case and the fold in which it is held out; -1 if it is in the training cases of every fold."""

    case: str
    patient: str
    fold: int


SPLIT_COLUMNS = tuple(field.name for field in fields(FoldAssignment))


def write_splits(path: Path, splits: Iterable[FoldAssignment]) -> None:
    """Write the table of splits as TSV."""
    write_table(path, pd.DataFrame(map(astuple, splits), columns=list(SPLIT_COLUMNS)))


def read_splits(path: Path) -> list[FoldAssignment]:
    """Return the table that `write_splits` wrote.

    Raises:
        UserError: the file is missing or is another table.
    """
    try:
        table = read_table(path)
        rows = zip(table["case"], table["patient"], table["fold"], strict=True)
        return [FoldAssignment(case, patient, int(fold)) for case, patient, fold in rows]
    except (KeyError, ValueError, UserError):
        raise UserError(
            f"{path}: this is not a table of splits ({', '.join(SPLIT_COLUMNS)}); delete it and run again"
        ) from None


def validation_cases(splits: Sequence[FoldAssignment], fold: int) -> list[str]:
    """Return the cases held out in a fold, in the order of the table."""
    return [assignment.case for assignment in splits if assignment.fold == fold]


def training_cases(splits: Sequence[FoldAssignment], fold: int) -> list[str]:
    """Return the cases that a fold does not hold out, in the order of the table."""
    return [assignment.case for assignment in splits if assignment.fold != fold]


def split_digest(training: Iterable[str], held_out: Iterable[str]) -> str:
    """Return the SHA-256 of a fold's training cases and held-out cases; their order does not matter."""
    content = json.dumps({"training": sorted(training), "held_out": sorted(held_out)}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def fold_digest(splits: Sequence[FoldAssignment], fold: int) -> str:
    """Return the `split_digest` of a fold."""
    return split_digest(training_cases(splits, fold), validation_cases(splits, fold))


def stratified_splits(
    manifest: pd.DataFrame, *, task: Task, folds: int, validation_fraction: float, seed: int
) -> list[FoldAssignment]:
    """Assign the usable cases of a manifest to folds, stratified and grouped by patient.

    All cases of a patient share a fold. The folds are as similar as the number of patients allows: in the presence of
    tumour, in the presence of enhancing tumour if the task has it, and in tumour size (thirds of the patients of each
    kind). The order of the rows does not matter. Most cases keep their fold when others are added or removed.

    Args:
        manifest: one row per case.
        task: defines the labels of the whole tumour and of enhancing tumour.
        folds: number of folds. If it is more than 1, each case is held out in one of the folds 0 to folds - 1. If it
            is 1, some cases are held out in fold 0, and all others have -1.
        validation_fraction: fraction of the cases held out with one fold, in (0, 0.5], approximated by whole patients.
        seed: seed of the order of the patients.

    Returns:
        One assignment per usable case, sorted by case.

    Raises:
        UserError: there are fewer patients than folds, or fewer than two.
    """
    cases = manifest[manifest["usable"]].sort_values("case", ignore_index=True)
    patients = _order_patients(cases, task, seed)
    if len(patients) < max(folds, 2):
        raise UserError(_too_few_patients(cases, len(patients), folds))
    shares = [part / folds for part in range(1, folds)] if folds > 1 else [validation_fraction]
    parts = np.searchsorted(_cut_positions(patients.to_numpy(), shares), np.arange(len(patients)), side="right")
    fold = dict(zip(patients.index, (parts if folds > 1 else -parts).tolist(), strict=True))
    return [
        FoldAssignment(case, patient, fold[patient])
        for case, patient in zip(cases["case"], cases["patient"], strict=True)
    ]


def _too_few_patients(cases: pd.DataFrame, patients: int, folds: int) -> Message:
    """Return the message about a split that needs more patients than the usable cases have."""
    shared = patients < len(cases)
    whose = f", with {len(cases)} cases (such as {', '.join(cases['case'].head(2))})" if shared else ""
    hint = "; if cases are assigned to the wrong patients, set cohort.patient" if shared else ""
    if folds == 1:
        found = format_count(patients, "usable patient")
        return (
            "cohort.validation_fraction: holding out patients needs at least 2, but there "
            f"{'is' if patients == 1 else 'are'} only {found}{whose}; add cases{hint}"
        )
    return (
        f"cohort.folds: {folds} folds need at least {folds} patients, but only {patients} "
        f"{'is' if patients == 1 else 'are'} usable{whose}; add cases or lower cohort.folds{hint}"
    )


def _order_patients(cases: pd.DataFrame, task: Task, seed: int) -> pd.Series:
    """Return the number of cases of each patient, in the stratified order of the patients."""
    # A patient's position on the line, in (0, 1), is the fraction of its stratum's cases before it. The stratum is its
    # kind (no tumour in any case, tumour, enhancing tumour) and the size third of its largest tumour within that kind.
    whole = [f"label_{label}" for label in task.region_labels[task.whole_tumour]]
    tumour, enhancing = cases[whole].sum(axis="columns").astype(int), task.label_of("enhancing")
    enhances = cases[f"label_{enhancing}"] > 0 if enhancing is not None else False
    by_patient = cases.assign(tumour=tumour, enhancing=enhances).groupby("patient")
    patients = by_patient.agg(cases=("case", "size"), tumour=("tumour", "max"), enhancing=("enhancing", "any"))
    patients["digest"] = [hashlib.sha256(f"{seed} {patient}".encode()).hexdigest() for patient in patients.index]
    patients = patients.sort_values("digest")
    kind = (patients["tumour"] > 0).astype(int) + patients["enhancing"]
    third = patients.groupby(kind)["tumour"].transform(_size_thirds).astype(int).where(patients["tumour"] > 0, 1)
    stratum = patients.groupby([kind, third])["cases"]
    # The thirds of a kind are a third of a step apart, which spreads a kind of few patients evenly over the line.
    before = stratum.cumsum() - patients["cases"]
    position = (before + patients["cases"] * (2 * third + 1) / 6) / stratum.transform("sum")
    return patients.assign(position=position).sort_values(["position", "digest"])["cases"]


def _size_thirds(sizes: pd.Series) -> pd.Series:
    # By the middle of each rank: a single patient is in the middle third, halfway along the line.
    return (sizes.rank(method="first") - 0.5) * 3 // len(sizes)


def _cut_positions(sizes: NDArray[np.int64], shares: Sequence[float]) -> list[int]:
    """Return the number of patients before each cut, chosen so that the shares of the cases are met best.

    Args:
        sizes: number of cases of each patient, in order.
        shares: wanted share of all cases before each cut, increasing, in (0, 1).

    Returns:
        One position per share, with at least one patient before, between and after the cuts.
    """
    total = np.cumsum(sizes)
    cuts: list[int] = []
    for index, share in enumerate(shares):
        first, last = (cuts[-1] if cuts else 0) + 1, len(sizes) - len(shares) + index
        cuts.append(first + int(np.abs(total[first - 1 : last] - share * total[-1]).argmin()))
    return cuts


def user_splits(split_file: Path, manifest: pd.DataFrame, *, folds: int) -> list[FoldAssignment]:
    """Assign the usable cases of a manifest to folds by a user's table.

    The table has a column `fold`, and a column `case` or `patient`; `case` takes precedence. Other columns are ignored,
    so a table of `write_splits` is valid. A fold is the number of the fold in which the case is held out, or -1 if the
    case is never held out.

    Args:
        split_file: the user's table, UTF-8, with tabs or commas and a header.
        manifest: one row per case.
        folds: number of folds.

    Returns:
        One assignment per usable case, sorted by case.

    Raises:
        UserError: the table is invalid, lists a name twice, lists a name that is not in the manifest, lacks a usable
            case, has a fold out of range, splits the cases of a patient, or leaves training or validation of a fold
            empty.
    """
    column, rows = _read_user_folds(split_file, manifest)
    repeated = [name for name, count in Counter(name for name, _ in rows).items() if count > 1]
    raise_if_any(split_file, f"more than one row for a {column}", repeated, "keep one row each")
    allowed = {str(fold): fold for fold in range(-1, folds)}
    invalid = [f"{name} ({fold!r})" for name, fold in rows if fold not in allowed]
    raise_if_any(split_file, "a fold that does not exist", invalid, _describe_folds(folds))
    known = set(manifest[column])
    unknown = [name for name, _ in rows if name not in known]
    hints = with_suggestions(unknown, known)
    raise_if_any(split_file, f"no such {column} in the cohort", hints, "correct the name or remove the row")

    cases = manifest[manifest["usable"]].sort_values("case")
    fold_of = {name: allowed[fold] for name, fold in rows}
    missing = [name for name in cases[column].unique() if name not in fold_of]
    raise_if_any(split_file, f"no row for a usable {column}", missing, "add a row each (fold -1: always trained on)")
    splits = [
        FoldAssignment(case, patient, fold_of[name])
        for case, patient, name in zip(cases["case"], cases["patient"], cases[column], strict=True)
    ]
    sides = Counter(patient for patient, _ in {(row.patient, row.fold) for row in splits})
    divided = sorted(patient for patient, count in sides.items() if count > 1)
    raise_if_any(
        split_file, "cases of one patient in different folds", divided, "give all cases of a patient the same fold"
    )
    needed = range(folds) if folds > 1 else (0, -1)
    empty: list[Message] = [f"fold {fold}" for fold in needed if fold not in {row.fold for row in splits}]
    raise_if_any(split_file, "no usable case", empty, f"{_describe_folds(folds)}, and each needs a case")
    return splits


def names_without_usable_case(split_file: Path, manifest: pd.DataFrame) -> list[str]:
    """Return the names in the user's table without a usable case in the manifest, in the order of the table."""
    column, rows = _read_user_folds(split_file, manifest)
    usable = set(manifest.loc[manifest["usable"], column])
    return [name for name, _ in rows if name not in usable]


def _read_user_folds(split_file: Path, manifest: pd.DataFrame) -> tuple[str, list[tuple[str, str]]]:
    """Return the column of names (`case` or `patient`), and name and fold of each row."""
    columns, rows = read_user_table(split_file, "cohort.split_file")
    column = next((name for name in ("case", "patient") if name in columns), None)
    if column is None or "fold" not in columns:
        raise UserError(
            f"{split_file}: the header, {', '.join(columns) or 'empty'}, needs a column fold and a column case or "
            "patient; name the columns accordingly, separated by tabs or commas"
        )
    known = set(manifest[column])
    return column, [(match_spelling(row[column], known), row["fold"].strip()) for row in rows]


def _describe_folds(folds: int) -> Message:
    if folds == 1:
        return "with cohort.folds 1, fold is 0 (held out) or -1 (trained on)"
    return f"with cohort.folds {folds}, fold is 0 to {folds - 1} (held out in that fold) or -1 (always trained on)"
