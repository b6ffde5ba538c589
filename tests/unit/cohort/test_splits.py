import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from tests.support.case_files import TASK
from tumorseg.cohort.patients import patient_from_name
from tumorseg.cohort.splits import (
    FoldAssignment,
    read_splits,
    stratified_splits,
    training_cases,
    validation_cases,
    write_splits,
)
from tumorseg.errors import UserError

LABELS = ["label_1", "label_2", "label_4"]


def cohort(patients: int, time_points: int = 1, without: float = 0.2) -> pd.DataFrame:
    cases = [f"BraTS-GLI-{patient:05d}-{time:03d}" for patient in range(patients) for time in range(time_points)]
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"case": cases, "patient": list(map(patient_from_name, cases)), "usable": True})
    sizes = {f"label_{label}": rng.integers(1, 1000, len(cases)) for label in (1, 2, 4)}
    sizes["label_4"][: int(without * len(cases))] = 0
    return table.assign(**sizes)


def folds_of(table, folds, *, fraction=0.2, seed=1):
    return {
        row.case: row.fold
        for row in stratified_splits(table, task=TASK, folds=folds, validation_fraction=fraction, seed=seed)
    }


@pytest.mark.parametrize("folds", [1, 2, 5])
def test_time_points_of_a_patient_share_a_fold(folds):
    found = stratified_splits(cohort(30, time_points=2), task=TASK, folds=folds, validation_fraction=0.2, seed=1)
    assert len(set(zip((row.patient for row in found), (row.fold for row in found), strict=True))) == 30


def test_every_case_is_held_out_once_in_folds_of_about_equal_size():
    sizes = Counter(folds_of(cohort(100), 5).values())
    assert set(sizes) == set(range(5))
    assert set(sizes.values()) == {20}


@pytest.mark.parametrize(("fraction", "expected"), [(0.2, 20), (0.25, 25), (0.5, 50)])
def test_one_split_holds_out_the_fraction(fraction, expected):
    sizes = Counter(folds_of(cohort(100), 1, fraction=fraction).values())
    assert set(sizes) == {0, -1}
    assert sizes[0] == expected


@pytest.mark.parametrize("time_points", [1, 2])
@pytest.mark.parametrize("patients", [11, 22, 100])
@pytest.mark.parametrize("fraction", [0.15, 0.24, 0.3, 0.4, 0.47])
def test_any_fraction_is_held_out_to_within_a_patient(patients, time_points, fraction):
    found = folds_of(cohort(patients, time_points), 1, fraction=fraction)
    held_out = sum(fold == 0 for fold in found.values())
    assert set(found.values()) == {0, -1}
    assert abs(held_out - fraction * len(found)) <= time_points / 2


@pytest.mark.parametrize("fraction", [0.2, 0.25, 0.5])
def test_a_fraction_of_one_in_n_is_the_first_of_n_folds(fraction):
    table = cohort(30, time_points=2)
    first = {case for case, fold in folds_of(table, round(1 / fraction)).items() if fold == 0}
    assert {case for case, fold in folds_of(table, 1, fraction=fraction).items() if fold == 0} == first


@pytest.mark.parametrize(("fraction", "expected"), [(0.01, 4), (0.03, 12)])
def test_a_small_fraction_is_held_out(fraction, expected):
    sizes = Counter(folds_of(cohort(400), 1, fraction=fraction).values())
    assert sizes[0] == expected


def test_other_fractions_are_stratified_by_enhancing_tumour_and_size():
    table = cohort(200)
    table["held out"] = table["case"].map(folds_of(table, 1, fraction=0.4)) == 0
    size = table[LABELS].sum(axis=1)
    assert table.loc[table["label_4"] == 0, "held out"].sum() == pytest.approx(16, abs=1)  # of 40
    assert table.loc[size > size.quantile(2 / 3), "held out"].mean() == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize("empty", [5, 10])
def test_folds_are_stratified_by_presence_of_tumour(empty):
    """Among cases without enhancing tumour; cases without any tumour must not count as the smallest of these."""
    table = cohort(100, without=0.5)
    table.loc[table.index[:empty], LABELS] = 0
    found = folds_of(table, 5)
    held_out = Counter(found[case] for case in table["case"][:empty])
    assert set(held_out.values()) == {empty // 5}


def test_folds_are_stratified_by_enhancing_tumour_and_size():
    table = cohort(200)
    table["fold"] = table["case"].map(folds_of(table, 4))
    without = table[table["label_4"] == 0].groupby("fold").size()
    table = table[table["label_4"] > 0]
    size = table[LABELS].sum(axis=1)
    large = table[size > size.quantile(2 / 3)].groupby("fold").size()
    assert without.max() - without.min() <= 1
    assert large.max() - large.min() <= 1


def test_a_rare_kind_of_case_does_not_unbalance_the_other_strata():
    table = cohort(60, without=0.05)  # 3 cases without enhancing tumour, fewer than folds
    table["fold"] = table["case"].map(folds_of(table, 5))
    size = table[LABELS].sum(axis=1)
    assert set(table[size > size.quantile(2 / 3)].groupby("fold").size()) <= {3, 4, 5}
    assert table.loc[table["label_4"] == 0, "fold"].nunique() == 3


def differing_time_points(patients: int, seed: int) -> pd.DataFrame:
    """Return a cohort with one to four cases per patient."""
    table = cohort(patients, time_points=4)
    kept = np.random.default_rng(seed).integers(1, 5, patients)
    return table[np.tile(np.arange(4), patients) < np.repeat(kept, 4)].reset_index(drop=True)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.37])
def test_differing_numbers_of_time_points_change_the_fraction_by_at_most_half_a_patient(fraction, seed):
    table = differing_time_points(40, seed)
    held_out = sum(fold == 0 for fold in folds_of(table, 1, fraction=fraction, seed=seed).values())
    assert abs(held_out - fraction * len(table)) <= 2
    sizes = Counter(folds_of(table, 5, seed=seed).values())
    assert all(abs(sizes[fold] - len(table) / 5) <= 4 for fold in range(5))


def imbalance(kind: pd.Series, fold: pd.Series) -> np.ndarray:
    """Return how far the number of cases of each kind in each fold is from the mean over the folds."""
    counts = pd.crosstab(kind, fold)
    return counts.sub(counts.mean(axis=1), axis=0).abs().to_numpy()


@pytest.mark.parametrize(("patients", "without", "folds"), [(300, 0.2, 5), (200, 0.2, 4), (97, 0.2, 3), (60, 0.05, 5)])
def test_strata_are_balanced_as_well_as_by_scikit_learn(patients, without, folds):
    for seed in range(5):
        table = cohort(patients, without=without)
        enhancing, size = table["label_4"] > 0, table[LABELS].sum(axis=1)
        third = size.groupby(enhancing).transform(lambda sizes: (sizes.rank() - 0.5) * 3 // len(sizes))
        strata = enhancing.astype(str) + third.astype(str)
        fold = table["case"].map(folds_of(table, folds, seed=seed))
        yardstick = pd.Series(0, index=table.index)
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        with warnings.catch_warnings(action="ignore"):  # of strata smaller than the number of folds
            for index, (_, held) in enumerate(splitter.split(table, strata, table["patient"])):
                yardstick[held] = index
        ours, theirs = imbalance(strata, fold), imbalance(strata, yardstick)
        assert ours.mean() <= theirs.mean() + 1e-9
        assert ours.max() <= theirs.max() + 1e-9
        assert imbalance(enhancing, fold).mean() <= imbalance(enhancing, yardstick).mean() + 1e-9
        assert imbalance(enhancing, fold).max() <= 1


def same_fold_fraction(before: dict[str, int], after: dict[str, int]) -> float:
    """Return the fraction of the common cases with the same fold in both."""
    both = before.keys() & after.keys()
    return sum(before[case] == after[case] for case in both) / len(both)


@pytest.mark.parametrize(
    ("folds", "new", "mean", "least"),
    [(1, 1, 0.99, 0.98), (1, 15, 0.98, 0.97), (5, 1, 0.985, 0.975), (5, 15, 0.93, 0.9)],
)
@pytest.mark.parametrize("between", [False, True])
def test_most_cases_keep_their_fold_when_others_are_added_or_removed(folds, new, mean, least, between):
    table = cohort(300 + new)
    added = np.linspace(5, 295, new).astype(int) if between else np.arange(300, 300 + new)
    same = []
    for seed in range(10):
        table[LABELS] = table[LABELS].sample(frac=1, random_state=seed).to_numpy()  # other tumours among the added
        same.append(
            same_fold_fraction(folds_of(table.drop(index=added), folds, seed=seed), folds_of(table, folds, seed=seed))
        )
    assert np.mean(same) >= mean
    assert min(same) >= least


@pytest.mark.parametrize(("folds", "mean", "least"), [(1, 0.99, 0.98), (5, 0.98, 0.97)])
def test_most_cases_keep_their_fold_when_one_becomes_unusable(folds, mean, least):
    table = cohort(300)
    before = folds_of(table, folds)
    same = [same_fold_fraction(before, folds_of(table.drop(index=removed), folds)) for removed in range(0, 300, 15)]
    assert np.mean(same) >= mean
    assert min(same) >= least


def test_the_split_depends_on_the_seed_but_not_on_the_order_of_rows():
    table = cohort(40)
    assert folds_of(table, 4) == folds_of(table.sample(frac=1, random_state=3), 4)
    assert folds_of(table, 4) != folds_of(table, 4, seed=2)


def test_unusable_cases_are_left_out():
    table = cohort(10)
    table.loc[3, "usable"] = False
    assert table.loc[3, "case"] not in folds_of(table, 2)


@pytest.mark.parametrize(("patients", "folds"), [(2, 1), (3, 1), (5, 5), (7, 5)])
@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.45])
def test_few_patients_fill_every_fold(patients, folds, fraction):
    expected = {0, -1} if folds == 1 else set(range(folds))
    assert set(folds_of(cohort(patients), folds, fraction=fraction).values()) == expected


@pytest.mark.parametrize(
    ("patients", "folds", "message"),
    [
        (4, 5, r"cohort\.folds: 5 folds need at least 5 patients, but only 4 are usable, with 12 cases \(such as"),
        (
            1,
            1,
            r"cohort\.validation_fraction: .* at least 2, but there is only 1 usable patient, with 3 cases \(such as",
        ),
    ],
)
def test_too_few_patients_are_reported_with_the_setting(patients, folds, message):
    with pytest.raises(UserError, match=message):
        folds_of(cohort(patients, time_points=3), folds)


def test_splits_round_trip(tmp_path):
    splits = [FoldAssignment("a-000", "a", -1), FoldAssignment("b-000", "b", 0), FoldAssignment("c-000", "c", 0)]
    write_splits(tmp_path / "splits.tsv", splits)
    assert (tmp_path / "splits.tsv").read_text().startswith("case\tpatient\tfold\na-000\ta\t-1\n")
    again = read_splits(tmp_path / "splits.tsv")
    assert again == splits
    assert (validation_cases(again, 0), training_cases(again, 0)) == (["b-000", "c-000"], ["a-000"])


def test_a_file_that_is_not_a_table_of_splits_is_refused(tmp_path):
    (tmp_path / "splits.tsv").write_text("case\tfold\na\tx\n")
    with pytest.raises(UserError, match=r"splits\.tsv"):
        read_splits(tmp_path / "splits.tsv")
