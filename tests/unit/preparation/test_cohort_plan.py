"""Which cases of a cohort are prepared first, and where their masks are."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.case_files import write_empty_files
from tests.support.dicom import T1, write_series
from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.discovery import discover_cases
from tumorseg.errors import UserError
from tumorseg.preparation.cohort_plan import plan_cohort, plan_listed_cohort, prepared_case_files
from tumorseg.preparation.patient_source import PatientSource
from tumorseg.preparation.prepared_check import PreparedDecision
from tumorseg.task import load_task

TASK = load_task()
PREPARED, NOT_PREPARED = PreparedDecision(True, ()), PreparedDecision(False, ("T2 and FLAIR have different grids",))
ENDINGS = ("t1n", "t1c", "t2w", "t2f", "seg")


@pytest.fixture(autouse=True)
def working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_case(root, case, endings=ENDINGS):
    write_empty_files(Path(root), *(f"{case}/{case}-{ending}.nii.gz" for ending in endings))


def plan(*roots, prepare="auto", decision=NOT_PREPARED, notes=None):
    note = (lambda _: None) if notes is None else notes.append
    return plan_cohort([Path(root) for root in roots or ("data",)], TASK, prepare, lambda _: decision, note)


def names(cases):
    return [case.case for case in cases]


def test_a_prepared_case_is_used_as_it_is_with_its_mask():
    write_case("data", "P1")
    found = plan(decision=PREPARED)
    assert names(found.prepared) == ["P1"]
    assert found.prepared[0].folder == "data/P1"
    assert found.prepared[0].files["seg"] == ("data/P1/P1-seg.nii.gz",)
    assert found.to_prepare == ()


@pytest.mark.parametrize("prepare", ["auto", "full"])
def test_another_case_is_prepared_with_the_files_of_its_layout(prepare):
    write_case("data", "P1")
    found = plan(prepare=prepare)
    (source,) = found.to_prepare
    assert source.channels == {
        role: f"data/P1/P1-{ending}.nii.gz"
        for role, ending in (("t1", "t1n"), ("t1ce", "t1c"), ("t2", "t2w"), ("flair", "t2f"))
    }
    assert found.masks == {"P1": ("data/P1/P1-seg.nii.gz",)}
    assert found.prepared == ()


def test_the_reason_is_printed():
    write_case("data", "P1")
    assert plan().notes() == ["prepared first: P1: T2 and FLAIR have different grids"]


def test_the_decision_looks_at_the_images_alone():
    write_case("data", "P1")
    seen = []
    plan_cohort([Path("data")], TASK, "auto", lambda files: seen.append(set(files)) or PREPARED)
    assert seen == [{"t1", "t1ce", "t2", "flair"}]


def test_names_of_a_hospital_have_their_mask_by_its_name():
    files = ("AX_T1_pre", "T1_post_gd", "T2_TSE_ax", "T2-FLAIR", "tumor_mask", "brain_mask")
    write_empty_files(Path("data"), *(f"P1/{name}.nii.gz" for name in files))
    found = plan()
    assert names(found.to_prepare) == ["P1"]
    assert found.masks == {"P1": ("data/P1/tumor_mask.nii.gz",)}
    assert "tumor_mask.nii.gz" not in found.to_prepare[0].files  # a changed mask must not convert the images again
    assert len(found.to_prepare[0].files) == 5


def test_a_mask_beside_dicom_is_found_and_no_image_that_is_left_out():
    for case in ("P1", "P2", "P3"):
        write_series(Path(f"data/{case}/1"), np.ones((2, 2, 2), np.int16), np.eye(4), replace(T1, patient_id=case))
    write_empty_files(
        Path("data"), "P1/seg.nii.gz", "P2/1/tumor_mask.nii.gz", "P3/tumor_mask.nii.gz", "P3/1/axial.nii.gz"
    )
    found = plan()
    assert [(source.kind, source.other_images) for source in found.to_prepare] == [
        ("dicom", False),
        ("dicom", False),
        ("dicom", True),
    ]
    assert found.masks == {
        "P1": ("data/P1/seg.nii.gz",),
        "P2": ("data/P2/1/tumor_mask.nii.gz",),
        "P3": ("data/P3/tumor_mask.nii.gz",),
    }


def test_a_folder_without_an_image_is_a_case_too():
    write_case("data", "P1")
    Path("data/P2").mkdir()
    write_empty_files(Path("data"), "P3/P3-seg.nii.gz")
    found = plan_cohort([Path("data")], TASK, "auto", lambda files: PREPARED if files else NOT_PREPARED)
    assert names(found.prepared) == ["P1"]
    assert [(source.case, bool(source.channels)) for source in found.to_prepare] == [("P2", False), ("P3", False)]


def test_folders_beside_the_cases_of_a_layout_are_no_cases():
    names_of_channels = {str(index): name for index, name in enumerate(TASK.channel_names)}
    content = {"channel_names": names_of_channels, "labels": {"background": 0}, "file_ending": ".nii.gz"}
    write_empty_files(Path("data"), "labelsTr/P_1.nii.gz", *(f"imagesTr/P_1_000{index}.nii.gz" for index in range(4)))
    write_empty_files(Path("data"), *(f"imagesTs/P_2_000{index}.nii.gz" for index in range(4)))
    Path("data/dataset.json").write_text(json.dumps({**content, "numTraining": 1}))
    found = plan()
    assert names(found.to_prepare) == ["P_1"]
    assert found.masks == {"P_1": ("data/labelsTr/P_1.nii.gz",)}


def test_several_folders_make_one_cohort():
    write_case("one", "P1")
    write_case("two", "P2")
    found = plan("one", "two")
    assert found.masks == {"P1": ("one/P1/P1-seg.nii.gz",), "P2": ("two/P2/P2-seg.nii.gz",)}


def test_the_same_case_in_two_folders_is_refused():
    write_case("one", "P1")
    write_case("two", "p1")
    with pytest.raises(UserError, match=r"the case p1 is in one and in two"):
        plan("one", "two")


def test_a_sample_sheet_names_images_and_masks():
    def case(name, **files):
        return CaseFiles(name, {role: (path,) for role, path in files.items()}, None, from_sheet=True)

    cases = [case("P1", t1="a/t1.nii.gz", seg="a/mask.nii.gz"), case("P2", t1="a/dicom", seg="/m.nii.gz"), case("P3")]
    found = plan_listed_cohort(Path("sheets"), cases, "auto", lambda _: PREPARED)
    assert [(case.case, case.files) for case in found.prepared] == [
        ("P1", {"t1": ("sheets/a/t1.nii.gz",), "seg": ("sheets/a/mask.nii.gz",)}),
        ("P3", {}),
    ]
    assert found.to_prepare[0].channels == {"t1": "sheets/a/dicom"}
    assert found.masks == {"P2": ("/m.nii.gz",)}


def test_the_layout_of_the_task_understands_prepared_cases():
    case = prepared_case_files(PatientSource("P1", "nifti", "data/P1", patient="P"), "results/prepared_cohort", TASK)
    write_empty_files(Path(), *case.paths())
    (found,) = discover_cases(Path("results/prepared_cohort"), TASK)
    assert {role: (f"results/prepared_cohort/{path}",) for role, (path,) in found.files.items()} == case.files
    assert case.patient == "P"
