"""Which new patients are segmented as they are, and which are prepared first."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.support.case_files import write_empty_files
from tests.support.dicom import T1, write_series
from tumorseg.errors import UserError
from tumorseg.preparation.patient_plan import plan_listed_patients, plan_patients
from tumorseg.preparation.patient_source import PatientSource
from tumorseg.preparation.prepared_check import PreparedDecision
from tumorseg.task import load_task

TASK = load_task()
PREPARED, NOT_PREPARED = PreparedDecision(True, ()), PreparedDecision(False, ("T2 and FLAIR have different grids",))
ENDINGS = ("t1n", "t1c", "t2w", "t2f")


def write_case(root, case):
    write_empty_files(root, *(f"{case}/{case}-{ending}.nii.gz" for ending in ENDINGS))


def plan(root, prepare="auto", decision=PREPARED):
    return plan_patients(root, TASK, prepare, lambda _: decision)


def names(patients):
    return [patient.case for patient in patients]


def test_prepared_cases_are_segmented_as_they_are(tmp_path):
    write_case(tmp_path, "P1")
    found = plan(tmp_path)
    assert names(found.prepared) == ["P1"]
    assert found.to_prepare == ()
    assert found.prepared[0].files["t2"] == ("P1/P1-t2w.nii.gz",)


def test_masks_beside_the_images_are_not_used(tmp_path):
    write_case(tmp_path, "P1")
    write_empty_files(tmp_path, "P1/P1-seg.nii.gz")
    assert set(plan(tmp_path).prepared[0].files) == {"t1", "t1ce", "t2", "flair"}


def test_cases_that_are_not_prepared_are_prepared_and_the_reason_is_printed(tmp_path):
    for case in ("P1", "P2"):
        write_case(tmp_path, case)
    found = plan(tmp_path, decision=NOT_PREPARED)
    assert names(found.to_prepare) == ["P1", "P2"]
    assert found.prepared == ()
    assert found.notes() == ["prepared first: P1, P2: T2 and FLAIR have different grids"]


def test_dicom_and_unknown_names_are_prepared_beside_prepared_cases(tmp_path):
    write_case(tmp_path, "P1")
    write_series(tmp_path / "P2/series", np.ones((2, 2, 2), np.int16), np.eye(4), replace(T1, patient_id="B"))
    write_empty_files(tmp_path, "P3/axial post contrast.nii.gz", "P3/t2 tse.nii.gz")
    found = plan(tmp_path)
    assert names(found.prepared) == ["P1"]
    assert names(found.to_prepare) == ["P2", "P3"]
    assert found.reasons["P3"] == (
        "no file is named like T1, T1CE and FLAIR, but there are others, such as axial post contrast.nii.gz",
    )


def test_a_prepared_case_may_lack_an_image_beside_a_mask(tmp_path):
    write_empty_files(tmp_path, "P1/P1-t1n.nii.gz", "P1/P1-t2f.nii.gz", "P1/brain_mask.nii.gz")
    assert names(plan(tmp_path).prepared) == ["P1"]


def test_a_folder_without_an_image_is_left_to_the_preparation_which_reports_it(tmp_path):
    write_case(tmp_path, "P1")
    (tmp_path / "P2").mkdir()
    write_empty_files(tmp_path, "P3/notes.txt", "P4/P4-seg.nii.gz")
    found = plan(tmp_path)
    assert names(found.prepared) == ["P1"]
    assert names(found.to_prepare) == ["P2", "P3", "P4"]


def test_without_any_known_case_all_are_prepared(tmp_path):
    write_series(tmp_path / "P2", np.ones((2, 2, 2), np.int16), np.eye(4), T1)
    assert names(plan(tmp_path).to_prepare) == ["P2"]
    with pytest.raises(UserError, match="no image was found"):
        plan(tmp_path, "none")


@pytest.mark.parametrize(("prepare", "prepared"), [("none", True), ("full", False)])
def test_the_setting_decides_for_all(tmp_path, prepare, prepared):
    write_case(tmp_path, "P1")
    found = plan(tmp_path, prepare, NOT_PREPARED)
    assert bool(found.prepared) is prepared
    assert bool(found.to_prepare) is not prepared


def test_the_folder_of_a_single_case_is_that_case(tmp_path):
    for case in ("P1", "P2"):
        write_case(tmp_path, case)
    assert names(plan(tmp_path / "P1").prepared) == ["P1"]
    assert names(plan(tmp_path / "P1", decision=NOT_PREPARED).to_prepare) == ["P1"]


def write_flat(root, *cases, endings=ENDINGS):
    write_empty_files(root, *(f"{case}-{ending}.nii.gz" for case in cases for ending in endings))


def test_of_cases_side_by_side_only_the_one_that_needs_it_is_prepared(tmp_path):
    write_flat(tmp_path, "P-1", "P-2")
    found = plan_patients(tmp_path, TASK, "auto", lambda files: NOT_PREPARED if "P-2" in files["t1"].name else PREPARED)
    assert names(found.prepared) == ["P-1"]
    assert names(found.to_prepare) == ["P-2"]
    assert "P-2-t2w.nii.gz" in found.to_prepare[0].files


def write_nnunet(root, channels):
    """Write the names of two cases of nnU-Net side by side."""
    names = {str(index): name for index, name in enumerate(channels)}
    content = {"channel_names": names, "labels": {"background": 0}, "file_ending": ".nii.gz", "numTraining": 0}
    (root / "dataset.json").write_text(json.dumps(content))
    write_empty_files(root, *(f"imagesTs/P_{case}_000{index}.nii.gz" for case in (1, 2) for index in range(len(names))))


def test_a_case_whose_name_only_its_layout_explains_is_prepared_from_its_own_files(tmp_path):
    write_nnunet(tmp_path, ["T1", "T1CE", "T2", "FLAIR"])
    found = plan_patients(tmp_path, TASK, "auto", lambda files: NOT_PREPARED if "P_2" in files["t1"].name else PREPARED)
    assert names(found.prepared) == ["P_1"]
    (source,) = found.to_prepare
    assert source.case == "P_2"
    assert (found.root / source.channels["t2"]).samefile(tmp_path / "imagesTs/P_2_0002.nii.gz")


def test_a_case_that_lacks_an_image_is_not_confused_by_the_files_of_others(tmp_path):
    write_flat(tmp_path, "P-1")
    write_flat(tmp_path, "P-2", endings=ENDINGS[:2])
    assert names(plan(tmp_path).prepared) == ["P-1", "P-2"]


def test_all_cases_of_a_layout_are_prepared_on_request(tmp_path):
    write_nnunet(tmp_path, ["T1", "T1CE", "T2", "FLAIR"])
    found = plan(tmp_path, "full")
    assert names(found.to_prepare) == ["P_1", "P_2"]
    assert found.notes() == []


def test_two_files_of_one_image_among_those_of_other_cases_are_refused(tmp_path):
    write_nnunet(tmp_path, ["T1", "T1CE", "T2", "FLAIR"])
    write_empty_files(tmp_path, "imagesTs/P_1_0000.nii")
    with pytest.raises(UserError, match=r"P_1 has several files for one image"):
        plan(tmp_path, "full")


def test_of_two_files_of_one_image_the_preparation_chooses_unless_the_patient_is_prepared(tmp_path):
    write_case(tmp_path, "P1")
    write_empty_files(tmp_path, "P1/P1-t1n.nii")
    assert names(plan(tmp_path, decision=PREPARED).prepared) == ["P1"]
    assert names(plan(tmp_path, decision=NOT_PREPARED).to_prepare) == ["P1"]


def test_two_files_of_one_image_among_those_of_other_cases_are_left_to_the_validation(tmp_path):
    write_nnunet(tmp_path, ["T1", "T1CE", "T2", "FLAIR"])
    write_empty_files(tmp_path, "imagesTs/P_1_0000.nii")
    assert names(plan(tmp_path, decision=NOT_PREPARED).prepared) == ["P_1"]


def test_a_folder_that_contradicts_the_task_is_refused_and_not_prepared(tmp_path):
    write_nnunet(tmp_path, ["CT"])
    with pytest.raises(UserError, match=r"dataset\.json"):
        plan(tmp_path)


def test_patients_of_a_sheet_are_prepared_unless_all_images_are_prepared(tmp_path):
    sources = [
        PatientSource("P1", "sheet", "", channels={"t1": "a.nii.gz", "t2": "b.nii.gz"}),
        PatientSource("P2", "sheet", "", channels={"t1": "series", "t2": "b.nii.gz"}),
    ]
    found = plan_listed_patients(tmp_path, sources, "auto", lambda _: PREPARED)
    assert names(found.prepared) == ["P1"]
    assert found.prepared[0].files == {"t1": ("a.nii.gz",), "t2": ("b.nii.gz",)}
    assert names(found.to_prepare) == ["P2"]
    assert names(plan_listed_patients(tmp_path, sources, "full", lambda _: PREPARED).to_prepare) == ["P1", "P2"]


def test_patient_and_date_are_known_whether_a_patient_is_prepared_or_not(tmp_path):
    sources = [
        PatientSource("a", "sheet", "", channels={"t1": "a.nii.gz"}, patient="P1", date="2024-03-01"),
        PatientSource("b", "sheet", "", channels={"t1": "series"}, patient="P1", date="2023-12-01"),
        PatientSource("c", "sheet", "", channels={"t1": "c.nii.gz"}),
    ]
    found = plan_listed_patients(tmp_path, sources, "auto", lambda _: PREPARED)
    assert (names(found.prepared), names(found.to_prepare)) == (["a", "c"], ["b"])
    expected = {"a": {"patient": "P1", "date": "2024-03-01"}, "b": {"patient": "P1", "date": "2023-12-01"}}
    assert found.visits() == expected


@pytest.mark.parametrize("decision", [PREPARED, NOT_PREPARED])
def test_the_folder_of_visits_is_the_patient(tmp_path, decision):
    for visit in ("baseline", "week-12"):
        write_case(tmp_path / "P1", visit)
    found = plan(tmp_path, decision=decision).visits()
    assert found == {f"P1_{visit}": {"patient": "P1"} for visit in ("baseline", "week-12")}
