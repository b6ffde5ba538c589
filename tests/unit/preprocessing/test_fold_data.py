"""The data of a fold: its cases and their digests."""

from dataclasses import replace

import pytest

from tests.support.builders import make_fold_data, write_random_case
from tests.unit.cohort.test_overview import validated
from tumorseg.cohort.splits import FoldAssignment, fold_digest, split_digest
from tumorseg.errors import UserError
from tumorseg.preprocessing.fold_data import (
    collect_fold_data,
    data_difference,
    find_cases,
    read_fold_data,
    write_fold_data,
)

SPLITS = [FoldAssignment("b", "b", -1), FoldAssignment("a", "a", 1), FoldAssignment("c", "c", 0)]


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate("abc"):
        write_random_case(tmp_path / f"batch/{name}.safetensors", seed=seed)
    return tmp_path / "batch"


def results(**files):
    return {name: validated(name, files=files) for name in "abc"}


def test_fold_data_are_the_cases_sorted_by_name_with_their_digests(folder, tmp_path):
    data = collect_fold_data([folder], SPLITS, 0, results())
    a, b, c = (folder / f"{name}.safetensors" for name in "abc")
    assert data == make_fold_data([a, b], [c])
    assert list(data.training) == ["a", "b"]
    write_fold_data(tmp_path / "data.json", data)
    assert read_fold_data(tmp_path / "data.json", 0) == data
    assert find_cases([folder], data.training) == [a, b]


def test_synthetic_cases_are_a_part_of_the_data_only_if_there_are_any(folder, tmp_path):
    synthetic = write_random_case(tmp_path / "synthetic/s.safetensors", seed=5)
    without, data = (collect_fold_data([folder], SPLITS, 0, results(), each) for each in ([], [synthetic.parent]))
    assert set(without.as_dict()) == {"training", "held_out"}
    assert list(data.as_dict()["synthetic"]) == ["s"]
    assert data.split == without.split
    write_fold_data(tmp_path / "data.json", data)
    assert read_fold_data(tmp_path / "data.json", 0) == data
    assert find_cases([synthetic.parent], data.synthetic) == [synthetic]


def test_other_synthetic_cases_are_other_data(folder, tmp_path):
    write_random_case(tmp_path / "synthetic/s.safetensors", seed=5)
    without, data = (collect_fold_data([folder], SPLITS, 0, results(), each) for each in ([], [tmp_path / "synthetic"]))
    assert data_difference(data.as_dict(), data) is None
    assert data_difference(without.as_dict(), data) == (
        "wrong_split",
        "was trained on another split: 1 synthetic case missing (s)",
    )
    write_random_case(tmp_path / "synthetic/s.safetensors", seed=6)
    changed = collect_fold_data([folder], SPLITS, 0, results(), [tmp_path / "synthetic"])
    assert data_difference(data.as_dict(), changed) == (
        "wrong_data",
        "was trained on other normalised data: 1 case changed (s)",
    )


def test_other_code_or_settings_of_simulated_cases_are_other_data(folder, tmp_path):
    simulated = {"settings": {"spacing_mm": [2.0, 2.0, 2.0]}, "code": "one"}
    without = collect_fold_data([folder], SPLITS, 0, results())
    data = collect_fold_data([folder], SPLITS, 0, results(), simulated=simulated)
    write_fold_data(tmp_path / "data.json", data)
    assert read_fold_data(tmp_path / "data.json", 0) == data
    assert data_difference(data.as_dict(), data) is None
    for other in (without, replace(data, simulated={**simulated, "code": "two"})):
        code, message = data_difference(data.as_dict(), other)
        assert code == "wrong_data"
        assert message.startswith("was trained on cases that other code")


def test_a_case_that_was_normalised_from_other_files_is_refused(folder):
    with pytest.raises(UserError, match=r"a\.safetensors: .* not normalised from the files that were validated"):
        collect_fold_data([folder], SPLITS, 0, results(t1={"path": "a", "bytes": 1, "digest": "changed"}))


def test_a_changed_case_is_refused(folder):
    data = collect_fold_data([folder], SPLITS, 0, results())
    write_random_case(folder / "a.safetensors", seed=9)
    with pytest.raises(UserError, match=r"a\.safetensors: this normalised case has changed since"):
        find_cases([folder], data.training)


@pytest.mark.parametrize("content", ["[]", "{}", '{"format": 1, "fold": 1, "training": {}, "held_out": {}}', "{"])
def test_corrupted_data_or_data_of_another_fold_are_refused(tmp_path, content):
    (tmp_path / "data.json").write_text(content)
    with pytest.raises(UserError, match=r"data\.json: .*delete .* and run again"):
        read_fold_data(tmp_path / "data.json", 0)


def test_the_digest_of_a_split_does_not_depend_on_the_order_of_cases():
    assert split_digest(["a", "b"], ["c"]) == split_digest(["b", "a"], ["c"]) == fold_digest(SPLITS, 0)
    assert len({split_digest(["a", "b"], ["c"]), split_digest(["a"], ["b", "c"]), split_digest(["a", "b"], [])}) == 3
