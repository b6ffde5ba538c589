"""Masks that are corrected with a warning (almost whole labels, other axes, another extent), and empty masks."""

import nibabel
import numpy as np
import pytest

from tests.support.case_files import (
    AFFINE,
    CASE,
    SHAPE,
    TASK,
    mask,
    path_of,
    problems,
    validated,
    warnings,
    write_valid_case,
    write_volume,
)
from tests.support.case_files import image as make_image
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.validated_files import reread_mask
from tumorseg.io.nifti import write_nifti
from tumorseg.preprocessing.normalisation import normalise_validated_case

SETTINGS = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 2}
RAS = np.diag([1.0, 1, 1, 1])
RAS[:2, 3] = -(SHAPE[0] - 1), -(SHAPE[1] - 1)


@pytest.fixture
def root(tmp_path):
    return write_valid_case(tmp_path)


@pytest.fixture
def original(root):
    """Return what `read_all` returns for the case before it is changed."""
    return read_all(root)


def read_all(root):
    """Return the facts about the mask, the preview, and the mask as training and evaluation read it."""
    (files,) = discover_cases(root, TASK)
    found, preview = validate_case(root, files, task=TASK, shape=None, labels="auto")
    facts = {key: found.facts[key] for key in ("label_1", "label_2", "label_4", "convention", "tumour_crc32")}
    return (
        facts,
        preview,
        normalise_validated_case(root, found, SETTINGS, task=TASK).mask,
        reread_mask(root, found.facts, TASK),
    )


def assert_unchanged(root, original):
    facts, preview, normalised, reread = read_all(root)
    assert facts == original[0]
    assert np.array_equal(preview, original[1])
    assert np.array_equal(normalised, original[2])
    assert np.array_equal(reread.array, original[3].array)
    assert reread.array.dtype == np.uint8
    assert (reread.spacing_mm, reread.affine.tolist()) == (original[3].spacing_mm, original[3].affine.tolist())


@pytest.mark.parametrize("factor", [1.0039216, 0.9999, 1.00001])
def test_almost_whole_labels_are_rounded_with_a_warning(root, original, factor):
    write_volume(root, "seg", (mask() * factor).astype(np.float32))
    assert problems(root) == []
    assert warnings(root) == ["rounded_labels"]
    assert_unchanged(root, original)


def test_almost_whole_labels_from_a_scale_factor_in_the_header_are_rounded(root, original):
    image = nibabel.Nifti1Image(mask().astype(np.float64), AFFINE)
    image.set_data_dtype(np.uint8)
    nibabel.save(image, path_of(root, "seg"))
    assert nibabel.load(path_of(root, "seg")).dataobj.slope != 1
    assert problems(root) == []
    assert_unchanged(root, original)


@pytest.mark.parametrize("background", [0.003, -0.003])
def test_a_background_of_almost_0_is_background(root, original, background):
    volume = mask().astype(np.float32)
    volume[volume == 0] = background
    write_volume(root, "seg", volume)
    assert warnings(root) == ["rounded_labels"]
    assert_unchanged(root, original)


@pytest.mark.parametrize("value", [1.03, 0.97, 0.03, -0.03, 4.5])
def test_a_value_too_far_from_a_label_is_a_problem(root, value):
    volume = mask() * np.float32(0.9999)
    volume[5, 5, 5] = value
    write_volume(root, "seg", volume)
    (problem,) = validated(root).problems
    assert problem.code == "bad_label"
    assert f"1 voxels of the mask have other values ({value:g})" in problem.message
    assert "rounded_labels" not in warnings(root)


def test_a_mask_with_flipped_axes_is_reoriented_with_a_warning(root, original):
    write_volume(root, "seg", mask()[::-1, ::-1], RAS)
    assert problems(root) == []
    assert warnings(root) == ["mask_reoriented"]
    assert_unchanged(root, original)


def test_a_mask_with_permuted_axes_is_reoriented_with_a_warning(root, original):
    write_volume(root, "seg", mask().transpose(2, 0, 1), AFFINE[:, [2, 0, 1, 3]])
    assert problems(root) == []
    assert warnings(root) == ["mask_reoriented"]
    assert_unchanged(root, original)


def test_a_cropped_mask_is_placed_in_the_grid_of_the_images_with_a_warning(root, original):
    box = AFFINE.copy()
    box[:3, 3] = AFFINE[:3, :3] @ (3, 2, 1)
    write_volume(root, "seg", mask()[3:8, 2:9, 1:8], box)
    assert problems(root) == []
    assert warnings(root) == ["mask_extent"]
    assert_unchanged(root, original)


def test_a_reoriented_mask_has_the_same_checksum(tmp_path):
    """Duplicate cases are found by this checksum."""
    write_valid_case(tmp_path, "BraTS-GLI-00002-000")
    write_valid_case(tmp_path)
    write_nifti(path_of(tmp_path, "seg"), mask()[::-1, ::-1], RAS)
    checksums = {
        validate_case(tmp_path, files, task=TASK, shape=None, labels="auto")[0].facts["tumour_crc32"]
        for files in discover_cases(tmp_path, TASK)
    }
    assert len(checksums) == 1


def flip_images(root, affine):
    """Write the images with axes in other directions than those of `affine`."""
    mask_image = nibabel.Nifti1Image(mask(), affine)
    for role in ("t1", "t1ce", "t2", "flair"):
        write_volume(
            root, role, make_image(role), mask_image.as_reoriented(np.array([[0, -1], [1, -1], [2, 1]])).affine
        )


def test_a_mask_without_orientation_keeps_its_voxels_with_a_warning(root, original):
    """Its affine seems to flip axes, but that is only the default of the reader."""
    nibabel.save(nibabel.Nifti1Image(mask(), None), path_of(root, "seg"))
    assert problems(root) == []
    assert warnings(root) == ["orientation_unknown"] * 2
    assert_unchanged(root, original)
    flip_images(root, nibabel.load(path_of(root, "seg")).affine)
    assert np.array_equal(read_all(root)[3].array, mask(enhancing=4))


def test_a_mask_keeps_its_voxels_if_the_images_have_no_orientation(root):
    for role in ("t1", "t1ce", "t2", "flair"):
        nibabel.save(nibabel.Nifti1Image(make_image(role), None), path_of(root, role))
    assert problems(root) == []
    assert warnings(root) == ["orientation_unknown"] * 5
    assert np.array_equal(read_all(root)[3].array, mask(enhancing=4))


@pytest.mark.parametrize("changed", ["voxels", "shape"])
def test_a_mask_without_orientation_on_another_grid_is_a_problem(root, changed):
    other = nibabel.Nifti1Image(mask() if changed == "voxels" else mask()[1:], None)
    other.header.set_zooms((2, 2, 2) if changed == "voxels" else (1, 1, 1))
    nibabel.save(other, path_of(root, "seg"))
    (problem,) = validated(root).problems
    assert problem.code == "mask_mismatch"
    assert "a header gives no orientation" in problem.message
    assert "resample" not in problem.message


def test_a_mask_between_the_voxels_of_the_images_is_a_problem(root):
    write_volume(root, "seg", mask(shape=(5, 5, 5)), AFFINE + 0.5 * np.eye(4, k=3))
    assert problems(root) == [("mask_mismatch", path_of(root, "seg").relative_to(root).as_posix())]


@pytest.mark.parametrize(("setting", "codes"), [("drop", (["mask_mismatch"], [])), ("keep", ([], ["empty_mask"]))])
def test_an_empty_mask_drops_its_case_unless_the_setting_is_keep(root, setting, codes):
    write_volume(root, "seg", np.zeros(SHAPE, np.uint8))
    (files,) = discover_cases(root, TASK)
    found, _ = validate_case(root, files, task=TASK, shape=None, labels="auto", empty_masks=setting)
    assert found.case == CASE
    assert ([issue.code for issue in found.problems], [issue.code for issue in found.warnings]) == codes


def test_an_empty_mask_on_another_grid_is_a_problem_despite_the_setting(root):
    write_volume(root, "seg", np.zeros((5, 5, 5), np.uint8))
    (files,) = discover_cases(root, TASK)
    found, _ = validate_case(root, files, task=TASK, shape=None, labels="auto", empty_masks="keep")
    assert [issue.code for issue in found.problems] == ["mask_mismatch"]
