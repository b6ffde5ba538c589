import pytest

import learning_curve_subsets
from tumorseg.cohort.splits import FoldAssignment, write_splits
from tumorseg.errors import UserError
from tumorseg.io.tables import read_table
from tumorseg.learning_curve.subsets import choose_cases, order_training_cases, subset_table

SPLITS = [
    FoldAssignment(f"p{number:02d}-{visit}", f"p{number:02d}", number % 3) for number in range(12) for visit in "ab"
]
"""12 patients with two cases each, in three folds."""


def names(rows) -> list[str]:
    return [row.case for row in rows]


def test_smaller_subsets_are_part_of_larger_ones_and_hold_no_held_out_case():
    subsets = [names(choose_cases(SPLITS, 1, 7, size)) for size in (2, 5, 16)]
    assert [len(subset) for subset in subsets] == [2, 5, 16]
    assert subsets[0] == subsets[1][:2]
    assert subsets[1] == subsets[2][:5]
    assert sorted(subsets[2]) == [row.case for row in SPLITS if row.fold != 1]


def test_the_cases_of_a_patient_follow_each_other():
    patients = [row.patient for row in order_training_cases(SPLITS, 0, 1)]
    assert patients[::2] == patients[1::2]


def test_the_order_depends_on_seed_and_fold_and_not_on_the_order_of_the_table():
    assert order_training_cases(SPLITS, 0, 1) == order_training_cases(SPLITS[::-1], 0, 1)
    shared = {row.case for row in SPLITS if row.fold == 2}
    orders = {
        (fold, seed): tuple(case for case in names(order_training_cases(SPLITS, fold, seed)) if case in shared)
        for fold in (0, 1)
        for seed in (1, 2)
    }
    assert len(set(orders.values())) == 4


def test_a_new_case_leaves_the_order_of_the_others():
    added = [*SPLITS, FoldAssignment("new", "new", -1)]
    order = names(order_training_cases(added, 0, 1))
    order.remove("new")
    assert order == names(order_training_cases(SPLITS, 0, 1))


@pytest.mark.parametrize(("sizes", "named"), [([2, 17], "17: too many"), ([20, 17, 1], "17, 20: too many")])
def test_subsets_larger_than_a_fold_are_refused_with_the_key(sizes, named):
    with pytest.raises(UserError) as caught:
        subset_table(SPLITS, range(3), [1], sizes)
    assert f"learning_curve.cases: {named}, as fold 0 has only 16 training cases; use numbers up to 16" in str(
        caught.value
    )


def test_the_table_lists_every_training_case_of_each_fold_and_seed(tmp_path):
    write_splits(tmp_path / "splits.tsv", SPLITS)
    arguments = ["--splits", tmp_path / "splits.tsv", "--folds", 3, "--seeds", 1, 2, "--sizes", 16, 0]
    learning_curve_subsets.main([*map(str, arguments), "--output", str(tmp_path / "out.tsv")])
    table = read_table(tmp_path / "out.tsv")
    assert len(table) == 3 * 2 * 16
    part = table[(table["fold"] == "1") & (table["seed"] == "2")]
    assert part["case"].tolist() == names(order_training_cases(SPLITS, 1, 2))
    assert part["number"].tolist() == [str(number) for number in range(1, 17)]
