"""The tables of a study of training set-ups."""

from tests.benchmarks.study.table import COLUMNS, DICE, append, drop_unfinished, finished, markdown_table, read_results


def rows(setup="a", mark=1, seed=1, fold=0, **dice):
    """Return the rows of an evaluation: by case, the Dice of every structure."""
    key = {"setup": setup, "digest": "d", "fold": fold, "seed": seed, "mark": mark, "mirroring": False}
    about = {"minutes": 8.0, "wall_minutes": 9.0, "steps": 400, "loss": 1.0}
    return [{**key, **about, "case": case, **dict.fromkeys(DICE, value)} for case, value in dice.items()]


def test_rows_are_appended_to_one_table(tmp_path):
    append(tmp_path / "r.csv", rows(x=0.5))
    append(tmp_path / "r.csv", rows(fold=1, y=0.25))
    found = read_results(tmp_path / "r.csv")
    assert found["case"].tolist() == ["x", "y"]
    assert found["labels"].tolist() == [0.5, 0.25]


def test_the_rows_of_an_interrupted_training_are_dropped(tmp_path):
    path = tmp_path / "r.csv"
    assert drop_unfinished(path, mirroring=False).empty
    append(path, [*rows(mark=0.5, x=0.1), *rows(x=0.5), *rows(fold=1, mark=0.5, y=0.2)])
    left = drop_unfinished(path, mirroring=False)
    assert finished(left, mirroring=False) == {("a", "d", 0, 1)}
    assert read_results(path)[COLUMNS].equals(left[COLUMNS])
    assert left["mark"].tolist() == [0.5, 1]


def test_the_table_has_the_mean_of_the_folds_and_its_spread_over_the_seeds(tmp_path):
    path = tmp_path / "r.csv"
    append(path, [*rows(x=0.2, y=0.4), *rows(fold=1, z=0.7)])  # means of the folds 0.3 and 0.7
    append(path, [*rows(seed=2, x=0.5, y=0.7), *rows(seed=2, fold=1, z=0.6)])
    append(path, rows("b", x=0.3, y=0.4))
    (_, _, a, b) = markdown_table(read_results(path), against="a").splitlines()
    assert a.startswith("| a | 2 | 2 | 0.550 ± 0.071 |")
    assert a.endswith("| 400 | 8.0 | +0.000 ± 0.000 |")
    assert b.startswith("| b | 1 | 1 | 0.350 |")
    assert b.endswith("| +0.050 ± 0.050 |")  # x +0.1, y 0
