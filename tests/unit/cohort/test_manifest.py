from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.case_files import AFFINE, TASK, check_case, image, path_of, write_sound
from tumorseg.cohort.cohort_check import check_cohort as check_table
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.manifest import build_manifest, read_manifest, summary_lines, write_manifest
from tumorseg.cohort.validation_result import Issue, ValidationResult
from tumorseg.errors import UserError
from tumorseg.io.nifti import write_nifti


def check_cohort(table, **settings):
    return check_table(table, task=TASK, manifest_path=Path("results/cohort/manifest.tsv"), **settings)


def sound(
    case: str, *, images: int | None = None, tumour: int = 1, convention: str | None = "brats2023"
) -> ValidationResult:
    files = {
        role: {"path": f"{case}/{case}-{role}.nii.gz", "sample_digest": (images or hash(case)) + number}
        for number, role in enumerate(("t1", "t1ce", "t2", "flair", "seg"))
    }
    facts = {"shape": [4, 5, 6], "spacing": [1.0, 1.0, 1.5], "files": files, "convention": convention}
    facts |= {"label_1": 1, "label_2": 2, "label_4": 3, "tumour_crc32": tumour}
    return ValidationResult(case, True, (), (), facts)


def damaged(case: str, *codes: str) -> ValidationResult:
    found = tuple(Issue(code, f"{case}/{case}.nii", "it is\tbroken;\nmend it") for code in codes)
    return ValidationResult(case, False, found, (), {"files": {}})


def usable(table) -> dict[str, bool]:
    return dict(zip(table["case"], table["usable"].tolist(), strict=True))


def test_a_row_tells_what_is_wrong_on_one_line():
    row = build_manifest([damaged("b", "truncated", "bad_label", "truncated")], task=TASK).iloc[0]
    assert row["problems"] == "truncated,bad_label"
    assert row["detail"].startswith("b.nii: it is broken; mend it | b.nii:")


def test_the_manifest_survives_its_file(tmp_path):
    table = build_manifest([sound("b"), damaged("a", "truncated"), sound("c", convention=None)], task=TASK)
    write_manifest(tmp_path / "m.tsv", table)
    again = read_manifest(tmp_path / "m.tsv")
    assert again.fillna(-1).to_dict("records") == table.fillna(-1).to_dict("records")
    assert again["case"].tolist() == ["a", "b", "c"]
    second = (tmp_path / "m.tsv").read_text().splitlines()[2].split("\t")
    assert " ".join(second) == "b b true    t1,t1ce,t2,flair brats2023 4x5x6 1x1x1.5  1 2 3 b/b-seg.nii.gz "


def test_a_file_that_is_no_manifest_is_told(tmp_path):
    (tmp_path / "m.tsv").write_text("case\tusable\na\ttrue\n")
    with pytest.raises(UserError, match=r"m\.tsv.*patient"):
        read_manifest(tmp_path / "m.tsv")


def test_of_equal_cases_the_first_is_kept_and_the_others_name_it():
    table = build_manifest([sound("c", images=7), sound("a", images=7), sound("b")], task=TASK)
    assert usable(table) == {"a": True, "b": True, "c": False}
    row = table[table["case"] == "c"].iloc[0]
    assert row["problems"] == "duplicate_case"
    assert "c has the same images and mask as a" in row["detail"]


def test_equal_images_with_other_masks_are_all_dropped():
    table = build_manifest([sound("a", images=7, tumour=1), sound("b", images=7, tumour=2)], task=TASK)
    assert usable(table) == {"a": False, "b": False}
    assert set(table["problems"]) == {"duplicate_case"}


def test_a_damaged_twin_does_not_drop_the_sound_case():
    twin = replace(sound("b", images=7), usable=False, problems=damaged("b", "bad_label").problems)
    assert usable(build_manifest([sound("a", images=7), twin], task=TASK)) == {"a": True, "b": False}


def test_the_summary_names_the_first_dropped_cases(tmp_path):
    table = build_manifest([sound("s"), *(damaged(f"d{number:02d}", "truncated") for number in range(23))], task=TASK)
    lines = summary_lines(table, tmp_path)
    assert lines[0] == "1 of 24 cases is usable; 23 dropped:"
    assert lines[1].startswith("  d00: truncated: ")
    assert lines[-1] == f"  and 3 more: see {tmp_path}"
    assert len(lines) == 22


def test_a_cohort_without_usable_case_stops():
    with pytest.raises(UserError, match=r"none of the 2 cases is usable \(truncated 2\); results/cohort/manifest\.tsv"):
        check_cohort(
            build_manifest([damaged("a", "truncated"), damaged("b", "truncated")], task=TASK),
            labels="auto",
            expected_usable=None,
        )


def test_another_number_than_expected_stops():
    table = build_manifest([sound("a"), damaged("b", "truncated")], task=TASK)
    assert check_cohort(table, labels="auto", expected_usable=1)["usable"] == 1
    with pytest.raises(UserError) as stop:
        check_cohort(table, labels="auto", expected_usable=2)
    counts = "cohort.expected_usable: 1 usable case, not 2; 1 dropped (truncated 1)"
    assert str(stop.value).startswith(f"{counts}; see results/cohort/manifest.tsv")


def test_both_conventions_stop_unless_they_are_meant():
    table = build_manifest([sound("a"), sound("b", convention="brats2021"), sound("c", convention=None)], task=TASK)
    with pytest.raises(
        UserError, match=r"enhancing tumour as 4 in b/b-seg\.nii\.gz or 3 in a/a-seg\.nii\.gz.*labels: mixed"
    ):
        check_cohort(table, labels="auto", expected_usable=None)
    assert check_cohort(table, labels="mixed", expected_usable=None)["convention"] == "mixed"


def of_another_task(case: str, *codes: str, tasks=("brats-paediatric",)) -> ValidationResult:
    verdict = damaged(case, *(codes or ["other_task"]))
    return replace(verdict, facts={**verdict.facts, "other_tasks": list(tasks)})


def test_mixed_conventions_are_told_with_a_file_of_each():
    table = build_manifest([sound("a"), sound("b", convention="brats2021")], task=TASK)
    (doubt,) = check_cohort(table, labels="mixed", expected_usable=None)["doubts"]
    assert doubt == "the masks write enhancing tumour as 4 in b/b-seg.nii.gz or 3 in a/a-seg.nii.gz"


@pytest.mark.parametrize(("others", "cases", "stops"), [(1, 2, False), (2, 39, True), (2, 40, False), (3, 40, True)])
def test_more_than_one_case_in_twenty_of_another_task_stops(others, cases, stops):
    found = [of_another_task(f"x{number}") for number in range(others)]
    table = build_manifest(
        [*found, *(sound(f"s{number}", images=100 * number) for number in range(cases - others))], task=TASK
    )
    if not stops:
        assert check_cohort(table, labels="auto", expected_usable=None)["reasons"] == {"other_task": others}
        return
    with pytest.raises(UserError, match=rf"{others} of {cases} cases \(x0, x1.*set cohort.task: brats-paediatric, or"):
        check_cohort(table, labels="auto", expected_usable=None)


def test_a_cohort_all_of_another_task_stops_with_the_task_that_fits_most_cases():
    table = build_manifest([of_another_task("a", tasks=("m", "n")), of_another_task("b", tasks=("n",))], task=TASK)
    with pytest.raises(UserError, match=r"set cohort.task: n, or"):
        check_cohort(table, labels="auto", expected_usable=None)


@pytest.mark.parametrize("labels", ["auto", "mixed"])
def test_a_mask_with_both_values_among_masks_of_either_convention_speaks_for_another_task(labels):
    both = [
        sound(f"s{number}", images=100 * number, convention=f"brats202{1 + 2 * (number % 2)}") for number in range(50)
    ]
    table = build_manifest([*both, of_another_task("x", "bad_label")], task=TASK)
    with pytest.raises(UserError, match=r"1 of 51 cases \(x\) .*; set cohort.task"):
        check_cohort(table, labels=labels, expected_usable=None)


def test_the_facts_of_a_cohort():
    table = build_manifest(
        [sound("a"), sound("b", convention=None), damaged("c", "truncated", "bad_label"), damaged("d", "truncated")],
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
    table = build_manifest([sound("b", convention=None)], task=TASK)
    assert check_cohort(table, labels="auto", expected_usable=None)["convention"] is None


def test_equal_images_are_found_however_they_are_stored(tmp_path):
    for case, kind in (("BraTS-GLI-00001-000", np.int16), ("BraTS-GLI-00002-000", np.float32)):
        write_sound(tmp_path, case)
        for role in ("t1", "t1ce", "t2", "flair"):
            write_nifti(path_of(tmp_path, role, case), image(role).astype(kind), AFFINE)
    verdicts = [check_case(tmp_path, case, shape=None, labels="auto") for case in discover_cases(tmp_path, TASK)]
    assert all(verdict.usable for verdict in verdicts)
    assert build_manifest(verdicts, task=TASK)["problems"].tolist() == ["", "duplicate_case"]
