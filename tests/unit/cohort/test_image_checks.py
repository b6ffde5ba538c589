"""Two modalities with exactly equal voxels: one of the two files is wrong."""

import nibabel
import numpy as np
import pytest

from tests.support.case_files import AFFINE, image, path_of, problems, put, verdict, warnings, write_sound


@pytest.fixture
def root(tmp_path):
    return write_sound(tmp_path)


def scaled(volume, slope, inter):
    """A file that stores `volume` as whole numbers, to be scaled."""
    made = nibabel.Nifti1Image(((volume - inter) / slope).round().astype(np.int16), AFFINE)
    made.header.set_slope_inter(slope, inter)
    return made


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.float32, np.float64, ">i4"])
def test_a_copy_of_another_type_is_a_problem_that_names_both_files(root, kind):
    put(root, "t1ce", image("t1").astype(kind))
    assert problems(root) == [("duplicate_modality", path_of(root, "t1ce").relative_to(root).as_posix())]
    (problem,) = verdict(root).problems
    assert path_of(root, "t1").relative_to(root).as_posix() in problem.message
    assert "one of the two files is wrong" in problem.message
    assert warnings(root) == []


def test_a_copy_that_is_scaled_is_a_problem(root):
    nibabel.save(scaled(image("t1"), 0.5, 3), path_of(root, "flair"))
    assert [code for code, _ in problems(root)] == ["duplicate_modality"]


def test_one_other_voxel_leaves_a_warning(root):
    volume = image("t1")
    volume[5, 5, 5] += 1
    put(root, "t2", volume)
    assert problems(root) == []
    assert warnings(root) == ["nearly_equal_modalities"]


def test_equal_samples_of_large_images_are_no_copies(tmp_path):
    shape = (40, 44, 36)
    root = write_sound(tmp_path)
    for role in ("t1", "t1ce", "t2", "flair"):
        put(root, role, image(role, shape=shape))
    volume = image("t1", shape=shape)
    volume[20, 20, 21] += 1  # a voxel that is not in the sample
    put(root, "t1ce", volume)
    found = verdict(root)
    files = found.facts["files"]
    assert files["t1"]["sample_digest"] == files["t1ce"]["sample_digest"]
    assert "duplicate_modality" not in [problem.code for problem in found.problems]


def test_four_times_one_image_are_three_problems(root):
    for role in ("t1ce", "t2", "flair"):
        put(root, role, image("t1"))
    assert [code for code, _ in problems(root)] == ["duplicate_modality"] * 3
