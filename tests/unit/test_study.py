"""The plan of a study of training set-ups, and its tables."""

import pytest
import torch
import yaml

from tests.benchmarks.study.plan import prepare_cases, read_study
from tests.benchmarks.study.table import COLUMNS, DICE, append, drop_unfinished, finished, markdown_table, read_results
from tests.support.builders import REPOSITORY

STUDIES = REPOSITORY / "tests/benchmarks/study"


def rows(setup="a", mark=1, seed=1, fold=0, **dice):
    """Return the rows of an evaluation: by case, the Dice of every structure."""
    key = {"setup": setup, "digest": "d", "fold": fold, "seed": seed, "mark": mark, "mirroring": False}
    about = {"minutes": 8.0, "wall_minutes": 9.0, "steps": 400, "loss": 1.0}
    return [{**key, **about, "case": case, **dict.fromkeys(DICE, value)} for case, value in dice.items()]


def with_bf16(monkeypatch, *, present):
    """Make the processor one with or without instructions for bf16."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": present})


@pytest.mark.parametrize(
    ("study", "table", "first", "bf16"),
    [
        ("options", "options", "base", True),
        ("fine_tuning", "fine_tuning", "start_rate_0.002", True),
        ("fine_tuning", "fine_tuning_fp32", None, False),
        ("small_patches", "small_patches", "base", False),
    ],
)
def test_the_page_of_the_recipes_has_the_recorded_scores_of_the_present_set_ups(study, table, first, bf16, monkeypatch):
    with_bf16(monkeypatch, present=bf16)
    found = read_results(STUDIES / f"{table}.csv")
    assert markdown_table(found, against=first) in (REPOSITORY / "workflow/docs/recipes.md").read_text()
    digests = {run.setup: run.digest for run in read_study(STUDIES / f"{study}.yaml").runs()}
    assert found["digest"].tolist() == found["setup"].map(digests).tolist()


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


def test_trainings_that_were_finished_without_mirroring_are_not_dropped(tmp_path):
    path = tmp_path / "r.csv"
    append(path, [*rows(x=0.5), *rows(fold=1, y=0.5)])
    with pytest.raises(SystemExit, match="2 trainings were scored without mirroring"):
        drop_unfinished(path, mirroring=True)
    assert len(read_results(path)) == 2


def test_names_that_look_like_numbers_stay_text(tmp_path):
    append(tmp_path / "r.csv", [{**row, "digest": "0123456789e1"} for row in rows("007", **{"001": 0.5})])
    found = read_results(tmp_path / "r.csv")
    assert found[["setup", "digest", "case"]].to_numpy().tolist() == [["007", "0123456789e1", "001"]]


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


def study_file(path, **setups):
    """Write the file of a study with these set-ups, and return its path."""
    content = {"minutes": 8, "folds": 2, "seeds": [3, 4], "mirroring": False, "base": {}, "setups": setups}
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def test_a_study_trains_each_set_up_with_each_fold_and_seed(tmp_path):
    small, large = {"training": {"batch_size": 1}}, {"training": {"batch_size": 4}}
    runs = read_study(study_file(tmp_path / "s.yaml", small=small, large=large)).runs()
    assert [(run.seed, run.setup, run.fold) for run in runs] == [
        (seed, name, fold) for seed in (3, 4) for name in ("small", "large") for fold in (0, 1)
    ]
    assert {(run.recipe.training.seed, run.recipe.training.batch_size) for run in runs} == {
        (seed, size) for seed in (3, 4) for size in (1, 4)
    }
    assert len({run.digest for run in runs}) == 2


def test_the_digest_of_a_set_up_is_that_of_its_precision_on_this_processor(tmp_path, monkeypatch):
    automatic, fixed = {"training": {"precision": "auto"}}, {"training": {"precision": "fp32"}}
    study = read_study(study_file(tmp_path / "s.yaml", automatic=automatic, fixed=fixed))
    same = []
    for present in (True, False):
        with_bf16(monkeypatch, present=present)
        first, *_, last = study.runs()
        same.append(first.digest == last.digest)
    assert same == [False, True]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prediction": {"fill_holes": True}}, "prediction: a set-up cannot change it"),
        ({"training": {"learning_rate": "fast"}}, "training.learning_rate: 'fast'"),
        ({"training": {"synthetic_fraction": 0.5}}, "training.synthetic_fraction: a study trains on real cases only"),
    ],
)
def test_the_mistakes_of_a_set_up_are_printed_with_its_name(tmp_path, changes, message):
    with pytest.raises(SystemExit, match=f"s.yaml has mistakes:\nsetups.wrong: {message}"):
        read_study(study_file(tmp_path / "s.yaml", wrong=changes))


def test_missing_cases_end_a_study_with_a_message(tmp_path, monkeypatch):
    monkeypatch.setenv("TUMORSEG_LEARNING_DATA", str(tmp_path / "missing"))
    with pytest.raises(SystemExit, match="set TUMORSEG_LEARNING_DATA to their folder"):
        prepare_cases(tmp_path / "cases", 3)
