import os
import socket

import pytest

from tests.support.case_files import TASK
from tumorseg.errors import UserError
from tumorseg.evaluation.matching import find_masks

KEY = "score.references"


@pytest.fixture
def found(tmp_path):
    """The path of each mask in a folder of empty files with these names, by case."""

    def names(*names: str) -> dict[str, str]:
        for name in names:
            path = tmp_path / "masks" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return {mask.case: mask.path for mask in find_masks(tmp_path / "masks", TASK, KEY).values()}

    return names


def refusal(found, *names: str) -> str:
    with pytest.raises(UserError) as caught:
        found(*names)
    return str(caught.value)


def test_masks_are_found_at_any_depth_and_sorted(found):
    assert list(found("b.nii", "deep/er/a.nii.gz").items()) == [("a", "deep/er/a.nii.gz"), ("b", "b.nii")]


def test_a_folder_of_brats_cases_gives_its_masks(found):
    case = "BraTS-GLI-00005-000"
    files = [f"{case}/{case}-{suffix}.nii.gz" for suffix in ("t1n", "t1c", "t2w", "t2f", "seg")]
    assert found(*files) == {case: files[-1]}


def test_a_folder_that_is_named_like_a_file_counts_as_the_file_inside_it(found):
    case = "BraTS2021_00005"
    mask = f"{case}/{case}_seg.nii/00000057_final_seg.nii"
    assert found(f"{case}/{case}_t1ce.nii/00000057_brain_t1ce.nii", mask) == {case: mask}


def test_strays_are_passed_over(found):
    assert found("a.nii", "._a.nii", ".tmp-1-a.nii.gz", "__MACOSX/b.nii", ".cache/c.nii") == {"a": "a.nii"}


def test_a_link_in_a_circle_is_followed_once(found, tmp_path):
    found("a.nii")
    (tmp_path / "masks/again").symlink_to(tmp_path / "masks")
    (tmp_path / "masks/itself").symlink_to("itself")
    assert found() == {"a": "a.nii"}


def test_two_masks_of_one_case_are_both_named(found):
    said = refusal(found, "BraTS2021_00005.nii.gz", "old/brats2021_00005_pred.nii")
    assert said.startswith("score.references: BraTS2021_00005.nii.gz and old/brats2021_00005_pred.nii below ")


def test_a_folder_without_masks_is_told(found):
    assert "score.references: no mask was found below" in refusal(found, "a_t1.nii.gz", "notes.txt")


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_a_folder_that_cannot_be_listed_is_told(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=rf"^score.references: cannot list .*{name} \(No"):
        find_masks(tmp_path / name, TASK, KEY)


def test_a_name_that_cannot_stand_in_a_table_is_told(found):
    assert "rename 'a\\nb.nii' below" in refusal(found, "a\nb.nii")


def test_a_mask_without_a_case_in_its_name_is_of_the_case_of_its_folder(found):
    masks = [f"fold-0/BraTS2021_0000{number}/pred.nii.gz" for number in (1, 2)]
    assert found(*masks) == {"BraTS2021_00001": masks[0], "BraTS2021_00002": masks[1]}


def test_a_file_that_is_called_by_its_role_alone_is_of_its_folder(found):
    masks = [f"patient {number}/{name}.nii.gz" for number, name in ((1, "seg"), (2, "pred"))]
    assert found(*masks) == {"patient 1": masks[0], "patient 2": masks[1]}


def test_what_is_no_regular_file_is_refused_before_it_is_opened(found, tmp_path):
    found("a.nii.gz")
    os.mkfifo(tmp_path / "masks/b_seg.nii.gz")
    said = refusal(found)
    assert said.startswith(f"{KEY}: {tmp_path / 'masks/b_seg.nii.gz'}: this is a FIFO (named pipe), not a regular file")
    (tmp_path / "masks/b_seg.nii.gz").unlink()
    (tmp_path / "masks/c.nii").symlink_to("/dev/zero")
    assert "this is a device" in refusal(found)
    (tmp_path / "masks/c.nii").unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "masks/d.nii"))
        assert "this is a socket" in refusal(found)


def test_what_is_no_mask_by_its_name_may_be_anything(found, tmp_path):
    found("a.nii.gz")
    os.mkfifo(tmp_path / "masks/notes")
    assert found() == {"a": "a.nii.gz"}
