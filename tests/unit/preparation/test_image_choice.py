"""The choice of a NIfTI file for each channel."""

import numpy as np
import pytest

from tumorseg.io.nifti import write_nifti
from tumorseg.preparation.image_choice import choose_images, image_table, read_image_files
from tumorseg.task import load_task

TASK = load_task()
AFFINE = np.diag([-8.0, 8.0, 8.0, 1.0])


def write(folder, *names, shape=(24, 20, 16), affine=AFFINE):
    for name in names:
        write_nifti(folder / name, np.zeros(shape, np.int16), affine)


def choose(folder, task=TASK, case="P1"):
    """Return the chosen file by channel, and the choice."""
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.nii*"))
    images = read_image_files(folder, files)
    choice = choose_images(images, task, case)
    return {channel: images[place].path for channel, place in choice.chosen.items()}, choice


@pytest.mark.parametrize(
    "names",
    [
        ("t1.nii.gz", "t1c.nii.gz", "t2.nii.gz", "fla.nii.gz"),
        ("SAG T1 PRE.nii.gz", "T1 MPRAGE +C.nii.gz", "AX T2 TSE.nii.gz", "ax_t2_flair.nii.gz"),
        ("T1_pre.nii.gz", "T1_post.nii.gz", "T2w.nii.gz", "3D_FLAIR.nii.gz"),
        ("X-t1n.nii.gz", "X-t1c.nii.gz", "X-t2w.nii.gz", "X-t2f.nii.gz"),
    ],
)
def test_hospital_names_are_understood(tmp_path, names):
    write(tmp_path, *names)
    chosen, choice = choose(tmp_path)
    assert chosen == dict(zip(("t1", "t1ce", "t2", "flair"), names, strict=True))
    assert (choice.problems, choice.warnings) == ((), ())


def test_a_folder_can_have_the_name_of_the_sequence(tmp_path):
    write(tmp_path, "T1_post/image.nii.gz", "FLAIR/image.nii.gz")
    assert choose(tmp_path)[0] == {"t1ce": "T1_post/image.nii.gz", "flair": "FLAIR/image.nii.gz"}


@pytest.mark.parametrize("name", ["brain_mask_of_t1c.nii.gz", "t1c-seg.nii.gz", "masks/t1c.nii.gz"])
def test_a_mask_is_no_image(tmp_path, name):
    write(tmp_path, name, "t2.nii.gz")
    chosen, choice = choose(tmp_path)
    assert chosen == {"t2": "t2.nii.gz"}
    assert "left: a mask" in choice.decisions


def test_two_equal_files_for_a_channel_are_a_problem_with_both_names(tmp_path):
    write(tmp_path, "T1_post.nii.gz", "t1c.nii.gz")
    (problem,) = choose(tmp_path)[1].problems
    assert problem.code == "equal_images"
    assert "T1_post.nii.gz and t1c.nii.gz" in problem.message


def test_an_isotropic_file_comes_first(tmp_path):
    write(tmp_path, "T1_post_ax.nii.gz")
    write(tmp_path, "T1_post_3d.nii.gz", affine=np.diag([-1.0, 1.0, 1.0, 1.0]))
    assert choose(tmp_path)[0] == {"t1ce": "T1_post_3d.nii.gz"}


def test_a_plain_file_comes_before_its_processed_version(tmp_path):
    write(tmp_path, "t1_brain.nii.gz", "t1.nii.gz")
    assert choose(tmp_path)[0] == {"t1": "t1.nii.gz"}


def test_a_file_with_several_volumes_is_left(tmp_path):
    write(tmp_path, "t2.nii.gz", shape=(24, 20, 16, 2))
    write(tmp_path, "t1.nii.gz")
    assert choose(tmp_path)[1].decisions == ("chosen for t1", "left: its shape is 24x20x16x2, not that of one 3D image")


def test_unknown_names_are_a_problem(tmp_path):
    write(tmp_path, "scan-a.nii.gz", "scan-b.nii.gz")
    (problem,) = choose(tmp_path)[1].problems
    assert problem.code == "no_usable_image"
    assert "sample sheet" in problem.message


def test_a_missing_channel_is_a_warning(tmp_path):
    write(tmp_path, "t1.nii.gz", "t1c.nii.gz", "flair.nii.gz")
    (warning,) = choose(tmp_path)[1].warnings
    assert (warning.code, "recognised as T2" in warning.message) == ("channel_not_found", True)


def test_a_corrupted_file_is_chosen_by_its_name(tmp_path):
    (tmp_path / "t1.nii.gz").write_bytes(b"broken")
    assert choose(tmp_path)[0] == {"t1": "t1.nii.gz"}


def test_the_table_has_the_grid_of_each_file(tmp_path):
    write(tmp_path, "t1.nii.gz", affine=np.diag([-1.0, 1.0, 5.0, 1.0]))
    images = read_image_files(tmp_path, ["t1.nii.gz"])
    row = image_table(images, ["chosen for t1"]).loc[0]
    assert tuple(row) == ("t1.nii.gz", "chosen for t1", "24x20x16", "1 x 1 x 5", "axial")
