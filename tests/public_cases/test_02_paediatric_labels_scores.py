"""Case 02: paediatric masks, whose 1 is enhancing tumour and whose 4 is oedema."""

import shutil

import pytest

from tests.public_cases import generate_case
from tests.public_cases.test_03_label_order_scores import CohortFolders
from tests.support.validated_cohorts import copy_renamed
from tumorseg.task import load_task


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return CohortFolders(generate_case("02", tmp_path_factory.mktemp("case")))


def with_neutral_names(folders, folder):
    """Copy masks and images under names that do not reveal the task."""
    copy_renamed(folders.references, folder / "cohort", lambda number, _: f"p{number}")
    for number, case in enumerate(sorted(folders.references.iterdir())):
        (folder / "predictions").mkdir(exist_ok=True)
        shutil.copy(folders.root / "predictions" / f"{case.name}.nii.gz", folder / f"predictions/p{number}.nii.gz")
    return CohortFolders(folder)


@pytest.mark.parametrize("task", ["brats-glioma", "brats-glioma-post-treatment"])
@pytest.mark.parametrize("labels", ["auto", "mixed"])
@pytest.mark.parametrize("named", [True, False], ids=["named", "neutral"])
def test_another_task_is_refused_and_the_right_one_is_named(folders, tmp_path, task, labels, *, named, capsys):
    with pytest.raises(SystemExit, match="1"):
        (folders if named else with_neutral_names(folders, tmp_path)).score("predictions", task=task, labels=labels)
    assert "brats-paediatric" in capsys.readouterr().err


def test_the_paediatric_task_scores_its_own_labels(folders):
    table, summary = folders.scored(task="brats-paediatric")
    assert (table["dice"] == 1).all()
    assert (summary["hints"], summary["reference_notes"]) == ([], [])
    voxels = table["reference_voxels"].unstack()
    usual = [2969, 895, 716]
    expected = [usual, usual, [2969, 895, 0], usual, [2969, 2969, 716], usual]
    assert voxels[["WT", "TC", "ET"]].to_numpy().tolist() == expected


def test_a_label_map_converts_to_the_regions_of_the_default_task(folders):
    label_map = {1: 4, 2: 1, 3: 1, 4: 2}
    table, _ = folders.scored(task=load_task().with_label_map(label_map).to_json())
    assert (table["dice"] == 1).all()
    assert table["reference_voxels"].unstack()["ET"].tolist() == [716, 716, 0, 716, 716, 716]
