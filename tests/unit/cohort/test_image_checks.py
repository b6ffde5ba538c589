"""Sampled voxels have all planes, and show two modalities with exactly equal voxels: one of the files is wrong."""

import nibabel
import numpy as np
import pytest

from tests.support.case_files import (
    AFFINE,
    image,
    path_of,
    problems,
    validated,
    warnings,
    write_valid_case,
    write_volume,
)
from tumorseg.cohort.image_checks import sampled_positions


@pytest.fixture
def root(tmp_path):
    return write_valid_case(tmp_path)


def make_scaled(volume, slope, intercept):
    """Return an image that stores the values as integers with a slope and an intercept."""
    scaled_image = nibabel.Nifti1Image(((volume - intercept) / slope).round().astype(np.int16), AFFINE)
    scaled_image.header.set_slope_inter(slope, intercept)
    return scaled_image


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.float32, np.float64, ">i4"])
def test_a_copy_in_another_data_type_is_a_problem_that_names_both_files(root, kind):
    write_volume(root, "t1ce", image("t1").astype(kind))
    assert problems(root) == [("duplicate_modality", path_of(root, "t1ce").relative_to(root).as_posix())]
    (problem,) = validated(root).problems
    assert path_of(root, "t1").relative_to(root).as_posix() in problem.message
    assert "one of the two files is wrong" in problem.message
    assert warnings(root) == []


def test_a_scaled_copy_is_a_problem(root):
    nibabel.save(make_scaled(image("t1"), 0.5, 3), path_of(root, "flair"))
    assert [code for code, _ in problems(root)] == ["duplicate_modality"]


def test_a_copy_that_differs_in_one_voxel_gives_a_warning(root):
    volume = image("t1")
    volume[5, 5, 5] += 1
    write_volume(root, "t2", volume)
    assert problems(root) == []
    assert warnings(root) == ["nearly_equal_modalities"]


def test_large_images_with_equal_samples_are_not_copies(tmp_path):
    shape = (40, 44, 36)
    root = write_valid_case(tmp_path)
    for role in ("t1", "t1ce", "t2", "flair"):
        write_volume(root, role, image(role, shape=shape))
    volume = image("t1", shape=shape)
    volume[20, 20, 21] += 1  # a voxel that is not in the sample
    write_volume(root, "t1ce", volume)
    found = validated(root)
    files = found.facts["files"]
    assert files["t1"]["sample_digest"] == files["t1ce"]["sample_digest"]
    assert "duplicate_modality" not in [problem.code for problem in found.problems]


def test_one_image_in_all_four_channels_gives_three_problems(root):
    for role in ("t1ce", "t2", "flair"):
        write_volume(root, role, image("t1"))
    assert [code for code, _ in problems(root)] == ["duplicate_modality"] * 3


@pytest.mark.parametrize("shape", [(64, 64, 64), (128, 128, 32), (10, 11, 12), (96, 64, 80)])
def test_a_sample_has_voxels_of_all_planes(shape):
    for axis, side in enumerate(shape):
        along = np.broadcast_to(np.arange(side).reshape([-1 if axis == other else 1 for other in range(3)]), shape)
        assert np.unique(along.ravel(order="F")[sampled_positions(along.shape)]).size == side
