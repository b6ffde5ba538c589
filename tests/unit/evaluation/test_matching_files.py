import os
import socket

import pytest

from tests.support.case_files import TASK
from tumorseg.errors import UserError
from tumorseg.evaluation.matching import find_masks

KEY = "score.references"


@pytest.fixture
def find(tmp_path):
    """A function that makes empty files with these names and returns the path of each mask by case."""

    def names(*names: str) -> dict[str, str]:
        for name in names:
            path = tmp_path / "masks" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return {mask.case: mask.path for mask in find_masks(tmp_path / "masks", TASK, KEY).values()}

    return names


def refusal(find, *names: str) -> str:
    with pytest.raises(UserError) as caught:
        find(*names)
    return str(caught.value)


def test_masks_are_found_at_any_depth_and_sorted(find):
    assert list(find("b.nii", "deep/er/a.nii.gz").items()) == [("a", "deep/er/a.nii.gz"), ("b", "b.nii")]


def test_the_masks_of_case_folders_are_found(find):
    case = "BraTS-GLI-00005-000"
    files = [f"{case}/{case}-{suffix}.nii.gz" for suffix in ("t1n", "t1c", "t2w", "t2f", "seg")]
    assert find(*files) == {case: files[-1]}


def test_a_folder_named_like_a_file_names_the_file_inside(find):
    case = "BraTS2021_00005"
    mask = f"{case}/{case}_seg.nii/00000057_final_seg.nii"
    assert find(f"{case}/{case}_t1ce.nii/00000057_brain_t1ce.nii", mask) == {case: mask}


def test_system_files_are_ignored(find):
    assert find("a.nii", "._a.nii", ".tmp-1-a.nii.gz", "__MACOSX/b.nii", ".cache/c.nii") == {"a": "a.nii"}


def test_a_circular_link_is_followed_once(find, tmp_path):
    find("a.nii")
    (tmp_path / "masks/again").symlink_to(tmp_path / "masks")
    (tmp_path / "masks/itself").symlink_to("itself")
    assert find() == {"a": "a.nii"}


def test_two_masks_of_one_case_are_refused(find):
    message = refusal(find, "BraTS2021_00005.nii.gz", "old/brats2021_00005_pred.nii")
    assert message.startswith("score.references: BraTS2021_00005.nii.gz and old/brats2021_00005_pred.nii below ")


def test_a_folder_without_masks_is_refused(find):
    assert "score.references: no mask was found below" in refusal(find, "a_t1.nii.gz", "notes.txt")


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_a_folder_that_cannot_be_listed_is_refused(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=rf"^score.references: cannot list .*{name} \(No"):
        find_masks(tmp_path / name, TASK, KEY)


def test_a_name_that_cannot_be_written_to_a_table_is_refused(find):
    assert "rename 'a\\nb.nii' below" in refusal(find, "a\nb.nii")


def test_a_mask_without_a_case_name_has_the_case_of_its_folder(find):
    masks = [f"fold-0/BraTS2021_0000{number}/pred.nii.gz" for number in (1, 2)]
    assert find(*masks) == {"BraTS2021_00001": masks[0], "BraTS2021_00002": masks[1]}


def test_a_file_named_only_by_its_role_has_the_name_of_its_folder(find):
    masks = [f"patient {number}/{name}.nii.gz" for number, name in ((1, "seg"), (2, "pred"))]
    assert find(*masks) == {"patient 1": masks[0], "patient 2": masks[1]}


def test_a_mask_that_is_not_a_regular_file_is_refused_before_it_is_opened(find, tmp_path):
    find("a.nii.gz")
    os.mkfifo(tmp_path / "masks/b_seg.nii.gz")
    message = refusal(find)
    assert message.startswith(
        f"{KEY}: {tmp_path / 'masks/b_seg.nii.gz'}: this is a FIFO (named pipe), not a regular file"
    )
    (tmp_path / "masks/b_seg.nii.gz").unlink()
    (tmp_path / "masks/c.nii").symlink_to("/dev/zero")
    assert "this is a device" in refusal(find)
    (tmp_path / "masks/c.nii").unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "masks/d.nii"))
        assert "this is a socket" in refusal(find)


def test_files_that_are_not_masks_may_be_anything(find, tmp_path):
    find("a.nii.gz")
    os.mkfifo(tmp_path / "masks/notes")
    assert find() == {"a": "a.nii.gz"}
