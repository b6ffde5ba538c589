import json

import pytest

import check_cohort
import manifest
import normalise_batch
import split
import validate_batch
from tests.support.case_files import TASK, path_of, write_valid_case
from tumorseg.cohort.case_files import case_to_json
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.manifest import read_manifest
from tumorseg.preprocessing.store import read_case

CASES = [f"BraTS-GLI-0000{number}-000" for number in range(4)]
COHORT = json.dumps(
    {"shape": None, "labels": "auto", "empty_masks": "drop", "max_voxels": 10**6, "expected_usable": None}
)


@pytest.fixture
def root(tmp_path):
    for seed, case in enumerate(CASES):
        write_valid_case(tmp_path / "data", case, seed=seed)
    path_of(tmp_path / "data", "flair", CASES[1]).write_bytes(b"")
    return tmp_path / "data"


def run(script, *arguments):
    script.main(["--task", TASK.name, *(str(argument) for argument in arguments)])


def validate(root, results):
    cases = [case_to_json(case) for case in discover_cases(root, TASK)]
    run(
        validate_batch,
        "--root",
        root,
        "--cases",
        *cases,
        "--settings",
        COHORT,
        "--output",
        results,
        "--previews",
        results.with_suffix(".p"),
    )
    return results


def test_a_cohort_goes_from_files_to_splits(root, tmp_path, capsys):
    results = validate(root, tmp_path / "v.json")
    assert f"{CASES[1]} dropped: empty_file" in capsys.readouterr().err
    run(manifest, "--validation-results", results, "--output", tmp_path / "m.tsv")
    assert "manifest: 3 of 4 cases are usable; 1 dropped:" in capsys.readouterr().err
    run(check_cohort, "--manifest", tmp_path / "m.tsv", "--settings", COHORT, "--output", tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text())["reasons"] == {"empty_file": 1}
    settings = json.dumps({"folds": 3, "validation_fraction": 0.2, "seed": 1})
    # As the rule calls it if the user has no split file: the option without a value.
    run(split, "--manifest", tmp_path / "m.tsv", "--settings", settings, "--split-file", "--output", tmp_path / "s.tsv")
    rows = [line.split("\t") for line in (tmp_path / "s.tsv").read_text().splitlines()[1:]]
    assert sorted(fold for _, _, fold in rows) == ["0", "1", "2"]


def test_the_users_split_file_is_used_and_its_dropped_cases_are_counted(root, tmp_path, capsys):
    run(manifest, "--validation-results", validate(root, tmp_path / "v.json"), "--output", tmp_path / "m.tsv")
    own = tmp_path / "own.csv"
    own.write_text("case,fold\n" + "".join(f"{case},{fold}\n" for case, fold in zip(CASES, "1101", strict=True)))
    arguments = ["--manifest", tmp_path / "m.tsv", "--settings", '{"folds": 2}', "--output", tmp_path / "s.tsv"]
    run(split, *arguments, "--split-file", own)
    rows = [line.split("\t") for line in (tmp_path / "s.tsv").read_text().splitlines()[1:]]
    assert [(case, fold) for case, _, fold in rows] == [(CASES[0], "1"), (CASES[2], "0"), (CASES[3], "1")]
    log = capsys.readouterr().err
    assert f"{own}: ignored names without a usable case: 1" in log
    assert "fold 0: 2 cases for training, 1 for validation" in log


def test_a_mistake_in_the_users_split_file_is_reported(root, tmp_path, capsys):
    run(manifest, "--validation-results", validate(root, tmp_path / "v.json"), "--output", tmp_path / "m.tsv")
    own = tmp_path / "own.csv"
    own.write_text(f"case,fold\n{CASES[0]},0\n")
    arguments = ["--manifest", tmp_path / "m.tsv", "--settings", '{"folds": 1}', "--output", tmp_path / "s.tsv"]
    with pytest.raises(SystemExit, match="1"):
        run(split, *arguments, "--split-file", own)
    assert f"split: {own}: no row for a usable case: {CASES[2]}, {CASES[3]};" in capsys.readouterr().err
    assert not (tmp_path / "s.tsv").exists()


def test_the_users_list_excludes_cases(root, tmp_path, capsys):
    (tmp_path / "exclude.txt").write_text(f"{CASES[2]}\tmoved\n")
    results = validate(root, tmp_path / "v.json")
    run(
        manifest,
        "--validation-results",
        results,
        "--exclude",
        tmp_path / "exclude.txt",
        "--output",
        tmp_path / "m.tsv",
    )
    assert f"{CASES[2]}: excluded: cohort.exclude lists this case: moved" in capsys.readouterr().err
    assert read_manifest(tmp_path / "m.tsv")["usable"].tolist() == [True, False, False, True]


def test_the_error_of_check_cohort_names_the_manifest(root, tmp_path, capsys):
    run(manifest, "--validation-results", validate(root, tmp_path / "v.json"), "--output", tmp_path / "m.tsv")
    settings = json.dumps({"labels": "auto", "expected_usable": 4})
    with pytest.raises(SystemExit, match="1"):
        run(check_cohort, "--manifest", tmp_path / "m.tsv", "--settings", settings, "--output", tmp_path / "c.json")
    assert f"see {tmp_path / 'm.tsv'} for the reasons" in capsys.readouterr().err


def test_only_usable_cases_are_normalised(root, tmp_path):
    results = validate(root, tmp_path / "v.json")
    settings = json.dumps({"clip_percentiles": [0.5, 99.5], "margin_voxels": 2})
    stale = tmp_path / "out" / "stale.safetensors"
    stale.parent.mkdir()
    stale.touch()
    run(
        normalise_batch,
        "--root",
        root,
        "--validation-results",
        results,
        "--settings",
        settings,
        "--output",
        tmp_path / "out",
    )
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == [CASES[0], CASES[2], CASES[3]]
    assert read_case(tmp_path / "out" / f"{CASES[0]}.safetensors").origin.case == CASES[0]


def test_a_shard_without_usable_case_gives_an_empty_folder(tmp_path):
    write_valid_case(tmp_path / "data")
    path_of(tmp_path / "data", "t1").unlink()
    results = validate(tmp_path / "data", tmp_path / "v.json")
    run(
        normalise_batch,
        "--root",
        tmp_path / "data",
        "--validation-results",
        results,
        "--settings",
        "{}",
        "--output",
        tmp_path / "out",
    )
    assert list((tmp_path / "out").iterdir()) == []


def test_validation_results_are_reproducible_byte_by_byte(root, tmp_path):
    once, again = validate(root, tmp_path / "1.json"), validate(root, tmp_path / "2.json")
    assert once.read_bytes() == again.read_bytes()
