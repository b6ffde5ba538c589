from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.case_files import AFFINE, TASK, check_case, image, path_of, write_valid_case
from tumorseg.cohort.cohort_check import check_cohort as check_table
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.manifest import build_manifest, manifest_summary, read_manifest, write_manifest
from tumorseg.cohort.validation_result import Issue, ValidationResult
from tumorseg.errors import UserError
from tumorseg.io.nifti import write_nifti


def check_cohort(table, **settings):
    return check_table(table, task=TASK, manifest_path=Path("results/cohort/manifest.tsv"), **settings)


def valid_case(
    case: str, *, images: int | None = None, tumour: int = 1, convention: str | None = "brats2023"
) -> ValidationResult:
    files = {
        role: {"path": f"{case}/{case}-{role}.nii.gz", "sample_digest": (images or hash(case)) + number}
        for number, role in enumerate(("t1", "t1ce", "t2", "flair", "seg"))
    }
    facts = {"shape": [4, 5, 6], "spacing": [1.0, 1.0, 1.5], "files": files, "convention": convention}
    facts |= {"label_1": 1, "label_2": 2, "label_4": 3, "tumour_crc32": tumour}
    return ValidationResult(case, True, (), (), facts)


def invalid_case(case: str, *codes: str) -> ValidationResult:
    issues = tuple(Issue(code, f"{case}/{case}.nii", "it is\tcorrupted;\nreplace it") for code in codes)
    return ValidationResult(case, False, issues, (), {"files": {}})


def usable_by_case(table) -> dict[str, bool]:
    return dict(zip(table["case"], table["usable"].tolist(), strict=True))


def test_a_row_has_the_problems_on_one_line():
    row = build_manifest([invalid_case("b", "truncated", "bad_label", "truncated")], task=TASK).iloc[0]
    assert row["problems"] == "truncated,bad_label"
    assert row["detail"].startswith("b.nii: it is corrupted; replace it | b.nii:")


def test_a_written_manifest_can_be_read(tmp_path):
    table = build_manifest(
        [valid_case("b"), invalid_case("a", "truncated"), valid_case("c", convention=None)], task=TASK
    )
    write_manifest(tmp_path / "m.tsv", table)
    table_from_file = read_manifest(tmp_path / "m.tsv")
    assert table_from_file.fillna(-1).to_dict("records") == table.fillna(-1).to_dict("records")
    assert table_from_file["case"].tolist() == ["a", "b", "c"]
    second = (tmp_path / "m.tsv").read_text().splitlines()[2].split("\t")
    assert " ".join(second) == "b b true    t1,t1ce,t2,flair brats2023 4x5x6 1x1x1.5  1 2 3 b/b-seg.nii.gz "


def test_a_file_that_is_not_a_manifest_is_refused(tmp_path):
    (tmp_path / "m.tsv").write_text("case\tusable\na\ttrue\n")
    with pytest.raises(UserError, match=r"m\.tsv.*patient"):
        read_manifest(tmp_path / "m.tsv")


def test_the_first_of_equal_cases_is_kept_and_the_others_name_it():
    table = build_manifest([valid_case("c", images=7), valid_case("a", images=7), valid_case("b")], task=TASK)
    assert usable_by_case(table) == {"a": True, "b": True, "c": False}
    row = table[table["case"] == "c"].iloc[0]
    assert row["problems"] == "duplicate_case"
    assert "c has the same images and mask as a" in row["detail"]


def test_cases_with_equal_images_and_different_masks_are_all_dropped():
    table = build_manifest([valid_case("a", images=7, tumour=1), valid_case("b", images=7, tumour=2)], task=TASK)
    assert usable_by_case(table) == {"a": False, "b": False}
    assert set(table["problems"]) == {"duplicate_case"}


def test_an_unusable_duplicate_does_not_drop_the_valid_case():
    duplicate = replace(valid_case("b", images=7), usable=False, problems=invalid_case("b", "bad_label").problems)
    assert usable_by_case(build_manifest([valid_case("a", images=7), duplicate], task=TASK)) == {"a": True, "b": False}


def test_the_summary_lists_the_first_dropped_cases(tmp_path):
    table = build_manifest(
        [valid_case("s"), *(invalid_case(f"d{number:02d}", "truncated") for number in range(23))], task=TASK
    )
    lines = manifest_summary(table, tmp_path)
    assert lines[0] == "1 of 24 cases is usable; 23 dropped:"
    assert lines[1].startswith("  d00: truncated: ")
    assert lines[-1] == f"  and 3 more: see {tmp_path}"
    assert len(lines) == 22


def test_a_cohort_without_a_usable_case_is_refused():
    with pytest.raises(UserError, match=r"none of the 2 cases is usable \(truncated 2\); results/cohort/manifest\.tsv"):
        check_cohort(
            build_manifest([invalid_case("a", "truncated"), invalid_case("b", "truncated")], task=TASK),
            labels="auto",
            expected_usable=None,
        )


def test_an_unexpected_number_of_usable_cases_is_refused():
    table = build_manifest([valid_case("a"), invalid_case("b", "truncated")], task=TASK)
    assert check_cohort(table, labels="auto", expected_usable=1)["usable"] == 1
    with pytest.raises(UserError) as error:
        check_cohort(table, labels="auto", expected_usable=2)
    counts = "cohort.expected_usable: 1 usable case, not 2; 1 dropped (truncated 1)"
    assert str(error.value).startswith(f"{counts}; see results/cohort/manifest.tsv")


def test_two_conventions_are_refused_unless_the_setting_is_mixed():
    table = build_manifest(
        [valid_case("a"), valid_case("b", convention="brats2021"), valid_case("c", convention=None)], task=TASK
    )
    with pytest.raises(
        UserError, match=r"enhancing tumour as 4 in b/b-seg\.nii\.gz or 3 in a/a-seg\.nii\.gz.*cohort\.labels to mixed"
    ):
        check_cohort(table, labels="auto", expected_usable=None)
    assert check_cohort(table, labels="mixed", expected_usable=None)["convention"] == "mixed"


def case_of_another_task(case: str, *codes: str, tasks=("brats-paediatric",)) -> ValidationResult:
    result = invalid_case(case, *(codes or ["other_task"]))
    return replace(result, facts={**result.facts, "other_tasks": list(tasks)})


def test_the_warning_about_two_conventions_names_a_file_of_each():
    table = build_manifest([valid_case("a"), valid_case("b", convention="brats2021")], task=TASK)
    (warning,) = check_cohort(table, labels="mixed", expected_usable=None)["doubts"]
    assert warning == "the masks have enhancing tumour as 4 in b/b-seg.nii.gz or 3 in a/a-seg.nii.gz"


@pytest.mark.parametrize(("others", "cases", "refused"), [(1, 2, False), (2, 39, True), (2, 40, False), (3, 40, True)])
def test_more_than_one_case_in_twenty_of_another_task_is_refused(others, cases, refused):
    found = [case_of_another_task(f"x{number}") for number in range(others)]
    table = build_manifest(
        [*found, *(valid_case(f"s{number}", images=100 * number) for number in range(cases - others))], task=TASK
    )
    if not refused:
        assert check_cohort(table, labels="auto", expected_usable=None)["reasons"] == {"other_task": others}
        return
    with pytest.raises(UserError, match=rf"{others} of {cases} cases \(x0, x1.*set cohort.task: brats-paediatric, or"):
        check_cohort(table, labels="auto", expected_usable=None)


def test_the_error_names_the_task_that_fits_most_cases():
    table = build_manifest(
        [case_of_another_task("a", tasks=("m", "n")), case_of_another_task("b", tasks=("n",))], task=TASK
    )
    with pytest.raises(UserError, match=r"set cohort.task: n, or"):
        check_cohort(table, labels="auto", expected_usable=None)


@pytest.mark.parametrize("labels", ["auto", "mixed"])
def test_a_mask_with_the_values_of_two_conventions_is_a_sign_of_another_task(labels):
    cases = [
        valid_case(f"s{number}", images=100 * number, convention=f"brats202{1 + 2 * (number % 2)}")
        for number in range(50)
    ]
    table = build_manifest([*cases, case_of_another_task("x", "bad_label")], task=TASK)
    with pytest.raises(UserError, match=r"1 of 51 cases \(x\) .*; set cohort.task"):
        check_cohort(table, labels=labels, expected_usable=None)


def test_the_facts_of_a_cohort():
    table = build_manifest(
        [
            valid_case("a"),
            valid_case("b", convention=None),
            invalid_case("c", "truncated", "bad_label"),
            invalid_case("d", "truncated"),
        ],
        task=TASK,
    )
    assert check_cohort(table, labels="auto", expected_usable=None) == {
        "usable": 2,
        "dropped": 2,
        "patients": 2,
        "doubts": [],
        "convention": "brats2023",
        "reasons": {"bad_label": 1, "truncated": 2},
    }
    table = build_manifest([valid_case("b", convention=None)], task=TASK)
    assert check_cohort(table, labels="auto", expected_usable=None)["convention"] is None


def test_equal_images_are_duplicates_in_every_data_type(tmp_path):
    for case, kind in (("BraTS-GLI-00001-000", np.int16), ("BraTS-GLI-00002-000", np.float32)):
        write_valid_case(tmp_path, case)
        for role in ("t1", "t1ce", "t2", "flair"):
            write_nifti(path_of(tmp_path, role, case), image(role).astype(kind), AFFINE)
    results = [check_case(tmp_path, case, shape=None, labels="auto") for case in discover_cases(tmp_path, TASK)]
    assert all(result.usable for result in results)
    assert build_manifest(results, task=TASK)["problems"].tolist() == ["", "duplicate_case"]
