from dataclasses import replace

import pytest

from tests.unit.cohort.test_manifest import TASK, invalid_case, usable_by_case, valid_case
from tumorseg.cohort.case_summary import summarise_cases
from tumorseg.cohort.exclusions import read_exclusions
from tumorseg.cohort.manifest import build_manifest, manifest_columns, read_manifest, write_manifest
from tumorseg.errors import UserError

CASES = ("a", "b", "c d", "#e")


def read(tmp_path, text, cases=CASES):
    path = tmp_path / "exclude.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_exclusions(path, cases)


def test_a_list_has_cases_reasons_and_comments(tmp_path):
    text = "\ufeff# reviewed\r\na\tmoved during the scan\r\n\nc d \n# keep: b\n"
    assert read(tmp_path, text) == {"a": "moved during the scan", "c d": ""}


def test_a_case_whose_name_looks_like_a_comment_can_be_excluded(tmp_path):
    assert read(tmp_path, "#e\twrong\n# e\n") == {"#e": "wrong"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\nbb\n", r"no such case in the cohort: bb \(did you mean b\?\); correct the name or remove the line"),
        ("a\tone\nb\na\ttwo\n", "more than one line for a case: a; keep one line each"),
        (b"\xff\xfe", "not UTF-8 text"),
    ],
)
def test_a_mistake_in_the_list_is_refused(tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, content, ("a", "b", "bc"))


def test_a_list_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"cannot read this file \(Is a directory\); correct cohort\.exclude"):
        read_exclusions(tmp_path, CASES)


def test_an_excluded_case_stays_in_the_manifest_with_its_reason(tmp_path):
    results = [valid_case("a"), valid_case("b"), invalid_case("c", "truncated")]
    write_manifest(tmp_path / "m.tsv", build_manifest(results, task=TASK, exclusions={"a": "moved", "c": ""}))
    table = read_manifest(tmp_path / "m.tsv")
    assert usable_by_case(table) == {"a": False, "b": True, "c": False}
    assert table["problems"].tolist() == ["excluded", "", "excluded,truncated"]
    assert table["excluded"].tolist() == ["moved", "", ""]
    assert table["detail"][0] == "cohort.exclude lists this case: moved"
    assert table["detail"][2].startswith("cohort.exclude lists this case: no reason given | c.nii:")
    assert [case.exclusion for case in summarise_cases(table, results, TASK)] == ["moved", None, ""]


def test_without_a_list_the_manifest_is_unchanged():
    results = [valid_case("a"), valid_case("b")]
    assert list(build_manifest(results, task=TASK, exclusions={})) == manifest_columns(TASK)


def test_the_twin_of_an_excluded_case_is_used():
    twins = [valid_case("a", images=5), replace(valid_case("b", images=5))]
    assert usable_by_case(build_manifest(twins, task=TASK)) == {"a": True, "b": False}
    assert usable_by_case(build_manifest(twins, task=TASK, exclusions={"a": ""})) == {"a": False, "b": True}
