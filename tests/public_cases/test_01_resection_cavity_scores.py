"""Case 01: masks of BraTS 2024, in which 4 is the resection cavity and never enhancing tumour."""

import shutil

import pytest

from tests.public_cases import made
from tests.public_cases.test_03_label_order_scores import Cohort
from tumorseg.task import load_task

WITHOUT_ENHANCING = [f"BraTS-GLI-0200{number}-100" for number in (4, 5, 6)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return Cohort(made("01", tmp_path_factory.mktemp("case")))


@pytest.mark.parametrize("task", ["brats-glioma", "brats-meningioma", "brats-paediatric"])
def test_another_task_is_refused_with_the_one_to_set(folders, task, capsys):
    with pytest.raises(SystemExit, match="1"):
        folders.score("predictions", task=task)
    assert "brats-glioma-post-treatment" in capsys.readouterr().err


@pytest.mark.parametrize("labels", ["auto", "mixed", "brats2021"])
def test_no_setting_makes_the_cavity_enhancing_tumour(folders, labels, tmp_path, capsys):
    """Under names that say nothing, in cases that have no enhancing tumour."""
    for number, case in enumerate(WITHOUT_ENHANCING):
        renamed_case(folders, case, f"p{number}", tmp_path)
    with pytest.raises(SystemExit, match="1"):
        Cohort(tmp_path).score("predictions", labels=labels)
    assert "brats-glioma-post-treatment" in capsys.readouterr().err


def renamed_case(folders, case, name, folder):
    """Copy a case and its prediction under another name."""
    (folder / "cohort" / name).mkdir(parents=True)
    (folder / "predictions").mkdir(exist_ok=True)
    for file in (folders.references / case).iterdir():
        shutil.copy(file, folder / "cohort" / name / file.name.replace(case, name))
    shutil.copy(folders.root / "predictions" / f"{case}.nii.gz", folder / "predictions" / f"{name}.nii.gz")


MAPPED = load_task().with_label_map({1: 1, 2: 2, 3: 4, 4: 0}).to_json()


@pytest.mark.parametrize("task", ["brats-glioma-post-treatment", MAPPED], ids=["task", "label map"])
def test_no_voxel_of_the_cavity_is_tumour(folders, task):
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
