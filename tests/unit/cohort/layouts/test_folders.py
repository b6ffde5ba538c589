"""Groups of case folders, flat folders and separate mask folders: recognised by names, refused if mixed."""

import pytest

from tests.support.case_files import TASK, check_case, mask, nifti_content, path_of, write_empty_files, write_valid_case
from tumorseg.cohort.case_files import case_from_json, case_to_json
from tumorseg.cohort.discovery import discover_cases, locate_cohort_folder
from tumorseg.errors import UserError
from tumorseg.task import load_task

IMAGES = ("t1", "t1ce", "t2", "flair")


def names(case: str, *, folder: str = "", ending: str = ".nii.gz", roles=(*IMAGES, "seg")) -> list[str]:
    return [f"{folder}{case}_{role}{ending}" for role in roles]


def found(root, task=TASK, **options):
    folder, _ = locate_cohort_folder(root, task)
    return discover_cases(folder, task, **options)


@pytest.mark.parametrize(
    "groups", [("HGG", "LGG"), ("hgg", "lgg", "unknown grade"), ("training_data1_v2", "additional")]
)
def test_cases_in_groups_keep_their_own_names(tmp_path, groups):
    for number, group in enumerate(groups):
        write_empty_files(tmp_path, *names(f"Brats18_TCIA01_{number}_1", folder=f"{group}/Brats18_TCIA01_{number}_1/"))
    cases = found(tmp_path)
    assert [(case.case, case.folder, case.patient) for case in cases] == [
        (f"Brats18_TCIA01_{number}_1", f"{group}/Brats18_TCIA01_{number}_1", None)
        for number, group in enumerate(groups)
    ]
    assert all(len(case.files) == 5 for case in cases)


def test_groups_may_be_links(tmp_path):
    write_empty_files(tmp_path, *names("B1", folder="far/away/B1/"), *names("B2", folder="near/LGG/B2/"))
    (tmp_path / "root").mkdir()
    (tmp_path / "root/HGG").symlink_to("../far/away")
    (tmp_path / "root/LGG").symlink_to("../near/LGG")
    assert [case.case for case in found(tmp_path / "root")] == ["B1", "B2"]


@pytest.mark.parametrize(
    "visits",
    [
        ("Timepoint_1", "Timepoint_2"),
        ("week-000-1", "week-013"),
        ("baseline", "followup"),
        ("20190304", "20200101"),
        ("1", "2"),
    ],
)
def test_visits_are_named_after_their_patient_folder(tmp_path, visits):
    for patient in ("PatientID_0000", "PatientID_0001"):
        for visit in visits:
            write_empty_files(tmp_path, *names(visit, folder=f"{patient}/{visit}/"))
    cases = found(tmp_path)
    assert [case.case for case in cases] == [f"PatientID_000{n}_{visit}" for n in (0, 1) for visit in sorted(visits)]
    assert [case.patient for case in cases] == ["PatientID_0000"] * 2 + ["PatientID_0001"] * 2
    assert case_from_json(case_to_json(cases[0])) == cases[0]


def test_the_visits_of_a_single_patient_are_named_after_it(tmp_path):
    write_empty_files(
        tmp_path, *names("Timepoint_1", folder="P_7/Timepoint_1/"), *names("Timepoint_2", folder="P_7/Timepoint_2/")
    )
    assert [case.case for case in found(tmp_path)] == ["P_7_Timepoint_1", "P_7_Timepoint_2"]


@pytest.mark.parametrize("case", ["Brats18_TCIA01_7_1", "001", "case_007"])
def test_a_case_in_two_groups_that_are_not_patients_is_refused_with_both_paths(tmp_path, case):
    write_empty_files(tmp_path, *names(case, folder=f"HGG/{case}/"), *names(case, folder=f"LGG/{case}/"))
    with pytest.raises(UserError, match=f"HGG/{case} and LGG/{case} .*same name.*cohort.samples"):
        found(tmp_path)


def test_a_public_case_in_two_downloads_is_not_a_visit(tmp_path):
    case = "BraTS-GLI-00005-100"
    write_empty_files(tmp_path, *names(case, folder=f"part1/{case}/"), *names(case, folder=f"part2/{case}/"))
    with pytest.raises(UserError, match="have the same name"):
        found(tmp_path)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".NII.GZ"])
def test_files_of_a_flat_folder_are_grouped_into_cases_by_prefix(tmp_path, ending):
    write_empty_files(tmp_path, *names("BraTS2021_00001", ending=ending), *names("BraTS2021_00002", ending=ending))
    first, second = found(tmp_path)
    assert (first.case, first.folder, second.case) == ("BraTS2021_00001", None, "BraTS2021_00002")
    assert first.files["t1ce"] == (f"BraTS2021_00001_t1ce{ending}",)
    assert case_from_json(case_to_json(first)) == first


@pytest.mark.parametrize(
    ("images", "masks"), [("images", "masks"), ("Images", "Labels"), ("imagesTr", "labelsTr"), ("a", "b")]
)
@pytest.mark.parametrize("own_folders", [True, False])
def test_masks_in_a_separate_folder_are_found(tmp_path, images, masks, own_folders):
    for case in ("BraTS2021_01500", "BraTS2021_01501"):
        folder = f"{images}/{case}/" if own_folders else f"{images}/"
        write_empty_files(tmp_path, *names(case, folder=folder, roles=IMAGES), f"{masks}/{case}_seg.nii.gz")
    cases = found(tmp_path)
    assert [case.case for case in cases] == ["BraTS2021_01500", "BraTS2021_01501"]
    assert cases[0].files["seg"] == (f"{masks}/BraTS2021_01500_seg.nii.gz",)
    assert sorted(cases[0].files) == sorted([*IMAGES, "seg"])


@pytest.mark.parametrize("name", ["BraTS2021_01500", "BraTS2021_01500_mask", "brats2021_01500-gt"])
def test_masks_in_a_mask_folder_need_no_suffix(tmp_path, name):
    write_empty_files(
        tmp_path, *names("BraTS2021_01500", folder="images/BraTS2021_01500/", roles=IMAGES), f"labels/{name}.nii.gz"
    )
    (case,) = found(tmp_path)
    assert case.files["seg"] == (f"labels/{name}.nii.gz",)


def test_a_single_case_with_its_mask_in_a_separate_folder_is_found(tmp_path):
    write_empty_files(tmp_path, *names("B1", folder="images/", roles=IMAGES), "masks/B1_seg.nii.gz")
    (case,) = found(tmp_path)
    assert (case.case, len(case.files)) == ("B1", 5)


def test_a_folder_of_other_images_is_not_a_mask_folder(tmp_path):
    write_empty_files(
        tmp_path, *names("B1", folder="images/", roles=IMAGES), *names("B2", folder="images/", roles=IMAGES)
    )
    write_empty_files(tmp_path, "adc/B1.nii.gz", "adc/B2.nii.gz")
    notes = []
    assert all("seg" not in case.files for case in found(tmp_path, note=notes.append))
    assert "not understood, and not used: adc/B1.nii.gz, adc/B2.nii.gz" in notes[0]


def test_a_second_mask_beside_the_images_is_a_second_file_of_the_case(tmp_path):
    write_valid_case(tmp_path / "images")
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks/BraTS-GLI-00001-000-seg.nii").write_bytes(nifti_content(mask()[::-1].copy()))
    (case,) = discover_cases(tmp_path, TASK)
    result = check_case(tmp_path, case, shape=None, labels="auto")
    assert [problem.code for problem in result.problems] == ["duplicate_modality"]


def test_a_mask_without_images_is_a_case_with_a_problem(tmp_path):
    write_empty_files(
        tmp_path, *names("B1", folder="images/B1/", roles=IMAGES), "masks/B1_seg.nii.gz", "masks/B2_seg.nii.gz"
    )
    assert [(case.case, len(case.files)) for case in found(tmp_path)] == [("B1", 5), ("B2", 1)]


MIXED = {
    "group": names("B2", folder="more/B2/"),
    "flat": [*names("B2", folder="more/"), *names("B3", folder="more/")],
    "beside": [*names("B2")],
}


@pytest.mark.parametrize("other", MIXED)
def test_mixed_layouts_are_refused_and_both_named(tmp_path, other):
    write_empty_files(tmp_path, *names("B1", folder="B1/"), *MIXED[other])
    with pytest.raises(UserError, match=r"mixes layouts: folders of one case each, such as B1 and .*(more|B2_)"):
        found(tmp_path)


def test_groups_beside_flat_folders_are_mixed_layouts(tmp_path):
    write_empty_files(tmp_path, *names("B1", folder="HGG/B1/"), *MIXED["flat"])
    with pytest.raises(UserError, match="mixes layouts: folders that hold case folders, such as HGG and folders with"):
        found(tmp_path)


def test_an_unused_image_beside_the_case_folders_is_reported(tmp_path):
    write_empty_files(tmp_path, *names("B1", folder="B1/"), "B9_t1.nii.gz")
    notes = []
    assert [case.case for case in found(tmp_path, note=notes.append)] == ["B1"]
    assert notes == [f"{tmp_path}: not understood, and not used: B9_t1.nii.gz"]


def test_a_group_without_known_file_names_keeps_its_cases(tmp_path):
    write_empty_files(
        tmp_path, *names("B1", folder="HGG/B1/"), *names("B3", folder="HGG/B3/"), "LGG/B2/B2_T1XYZ.nii.gz"
    )
    assert [(case.case, len(case.files)) for case in found(tmp_path)] == [("B1", 5), ("B2", 0), ("B3", 5)]


def test_missing_and_unknown_files_of_a_flat_folder_are_reported(tmp_path):
    for case in ("B1", "B10"):
        write_valid_case(tmp_path / "cases", case)
        for role in ("t1", "t1ce", "t2", "flair", "seg"):
            path = path_of(tmp_path / "cases", role, case)
            path.rename(tmp_path / path.name)
    (tmp_path / "cases/B1").rmdir()
    (tmp_path / "cases/B10").rmdir()
    (tmp_path / "cases").rmdir()
    (tmp_path / "B1-t1c.nii.gz").rename(tmp_path / "B1-t1xyz.nii.gz")
    (tmp_path / "B10-adc.nii.gz").touch()
    first, tenth = (check_case(tmp_path, case, shape=None, labels="auto") for case in discover_cases(tmp_path, TASK))
    assert [problem.code for problem in first.problems] == ["missing_modality"]
    assert first.problems[0].message.endswith("Found, but not understood: B1-t1xyz.nii.gz")
    assert (tenth.usable, tenth.facts["not_understood"]) == (True, ["B10-adc.nii.gz"])


def test_a_task_of_one_channel_has_one_image_per_case(tmp_path):
    task = load_task("brats-meningioma-radiotherapy")
    write_empty_files(tmp_path, "images/BraTS-MEN-RT-0001-1_t1c.nii.gz", "images/BraTS-MEN-RT-0002-1_t1c.nii.gz")
    write_empty_files(tmp_path, "masks/BraTS-MEN-RT-0001-1_gtv.nii.gz", "masks/BraTS-MEN-RT-0002-1_gtv.nii.gz")
    assert [sorted(case.files) for case in found(tmp_path, task)] == [["seg", "t1ce"]] * 2


def two_downloads(root):
    write_empty_files(root, *names("B1", folder="HGG/B1/"), *names("B1", folder="LGG/B1/"))


def test_the_sample_sheet_command_names_a_task_that_is_not_the_default(tmp_path):
    two_downloads(tmp_path)
    with pytest.raises(UserError, match=r"write_samples\.py \S+ --output samples\.tsv"):
        found(tmp_path)
    with pytest.raises(UserError, match=r"--task brats-metastases --output samples\.tsv"):
        found(tmp_path, load_task("brats-metastases"))
    with pytest.raises(UserError, match=r"--task mine\.yaml --output samples\.tsv"):
        found(tmp_path, TASK._with(name="mine"))


def test_no_sample_sheet_is_suggested_for_new_patients(tmp_path):
    two_downloads(tmp_path)
    with pytest.raises(UserError, match=r"segment\.cases: .* rename or remove one of them$"):
        found(tmp_path, key="segment.cases")
