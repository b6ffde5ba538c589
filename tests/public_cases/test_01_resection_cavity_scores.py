"""Case 01: masks of BraTS 2024, in which 4 is the resection cavity and not enhancing tumour."""

import shutil

import pytest

from tests.public_cases import generate_case
from tests.public_cases.test_03_label_order_scores import CohortFolders
from tumorseg.task import load_task

WITHOUT_ENHANCING = [f"BraTS-GLI-0200{number}-100" for number in (4, 5, 6)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return CohortFolders(generate_case("01", tmp_path_factory.mktemp("case")))


@pytest.mark.parametrize("task", ["brats-glioma", "brats-meningioma", "brats-paediatric"])
def test_another_task_is_refused_and_the_right_one_is_named(folders, task, capsys):
    with pytest.raises(SystemExit, match="1"):
        folders.score("predictions", task=task)
    assert "brats-glioma-post-treatment" in capsys.readouterr().err


@pytest.mark.parametrize("labels", ["auto", "mixed", "brats2021"])
def test_no_label_setting_reads_the_cavity_as_enhancing_tumour(folders, labels, tmp_path, capsys):
    """The cases have neutral names and no enhancing tumour."""
    for number, case in enumerate(WITHOUT_ENHANCING):
        copy_case_renamed(folders, case, f"p{number}", tmp_path)
    with pytest.raises(SystemExit, match="1"):
        CohortFolders(tmp_path).score("predictions", labels=labels)
    assert "brats-glioma-post-treatment" in capsys.readouterr().err


def copy_case_renamed(folders, case, name, folder):
    """Copy a case and its prediction under another name."""
    (folder / "cohort" / name).mkdir(parents=True)
    (folder / "predictions").mkdir(exist_ok=True)
    for file in (folders.references / case).iterdir():
        shutil.copy(file, folder / "cohort" / name / file.name.replace(case, name))
    shutil.copy(folders.root / "predictions" / f"{case}.nii.gz", folder / "predictions" / f"{name}.nii.gz")


MAPPED = load_task().with_label_map({1: 1, 2: 2, 3: 4, 4: 0}).to_json()


@pytest.mark.parametrize("task", ["brats-glioma-post-treatment", MAPPED], ids=["task", "label-map"])
def test_the_cavity_does_not_count_as_tumour(folders, task):
    table, summary = folders.scored(task=task)
    assert (summary["unusable"], summary["hints"]) == ([], [])
    regions = {name: of_region.droplevel("region") for name, of_region in table.groupby("region")}
    voxels = {name: of_region["reference_voxels"] for name, of_region in regions.items()}
    with_core = [True, True, True, True, False, False, False, True]
    assert voxels["WT"].tolist() == [2969] * 8
    assert voxels["TC"].tolist() == [895 * there for there in with_core]
    assert voxels["ET"].tolist() == [716 * there for there in with_core]
    for name in ("WT", "TC", "ET"):
        assert (regions[name]["dice"] == 1).all()
    if "RC" in regions:
        assert voxels["RC"].tolist() == [895, 0, 0, 0, 895, 895, 895, 0]
        assert regions["RC"]["dice"].tolist() == [0, 1, 1, 1, 0, 0, 0, 1]
