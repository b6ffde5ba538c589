"""Masks that are put right with a warning: almost whole labels, other axes, another box; and empty ones."""

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
    put,
    verdict,
    warnings,
    write_sound,
)
from tests.support.case_files import image as picture
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.validated_files import reread_mask
from tumorseg.cohort.validation import validate_case
from tumorseg.io.nifti import write_nifti
from tumorseg.preprocessing.normalisation import normalise_validated_case

SETTINGS = {"clip_percentiles": [0.5, 99.5], "margin": 2}
RAS = np.diag([1.0, 1, 1, 1])
RAS[:2, 3] = -(SHAPE[0] - 1), -(SHAPE[1] - 1)


@pytest.fixture
def root(tmp_path):
    return write_sound(tmp_path)


@pytest.fixture
def sound(root):
    """The verdict, the picture and the normalised mask of the case before anything is done to it."""
    return taken(root)


def taken(root):
    """The facts about the mask, the picture of the case, and its mask as training and evaluation read it."""
    (files,) = discover_cases(root, TASK)
    found, picture = validate_case(root, files, task=TASK, shape=None, labels="auto")
    facts = {key: found.facts[key] for key in ("label_1", "label_2", "label_4", "convention", "tumour_crc32")}
    return (
        facts,
        picture,
        normalise_validated_case(root, found, SETTINGS, task=TASK).mask,
        reread_mask(root, found.facts, TASK),
    )


def assert_taken_alike(root, sound):
    facts, picture, normalised, again = taken(root)
    assert facts == sound[0]
    assert np.array_equal(picture, sound[1])
    assert np.array_equal(normalised, sound[2])
    assert np.array_equal(again.array, sound[3].array)
    assert again.array.dtype == np.uint8
    assert (again.spacing, again.affine.tolist()) == (sound[3].spacing, sound[3].affine.tolist())


@pytest.mark.parametrize("factor", [1.0039216, 0.9999, 1.00001])
def test_labels_that_are_almost_whole_are_rounded_with_a_warning(root, sound, factor):
    put(root, "seg", (mask() * factor).astype(np.float32))
    assert problems(root) == []
    assert warnings(root) == ["rounded_labels"]
    assert_taken_alike(root, sound)


def test_the_scale_factor_of_a_header_may_leave_labels_that_are_almost_whole(root, sound):
    image = nibabel.Nifti1Image(mask().astype(np.float64), AFFINE)
    image.set_data_dtype(np.uint8)
    nibabel.save(image, path_of(root, "seg"))
    assert nibabel.load(path_of(root, "seg")).dataobj.slope != 1
    assert problems(root) == []
    assert_taken_alike(root, sound)


@pytest.mark.parametrize("background", [0.003, -0.003])
def test_a_background_that_is_almost_0_is_background(root, sound, background):
    volume = mask().astype(np.float32)
    volume[volume == 0] = background
    put(root, "seg", volume)
    assert warnings(root) == ["rounded_labels"]
    assert_taken_alike(root, sound)


@pytest.mark.parametrize("value", [1.03, 0.97, 0.03, -0.03, 4.5])
def test_one_value_that_is_further_off_is_named_and_drops_the_case(root, value):
    volume = mask() * np.float32(0.9999)
    volume[5, 5, 5] = value
    put(root, "seg", volume)
    (problem,) = verdict(root).problems
    assert problem.code == "bad_label"
    assert f"1 voxels of the mask have other values ({value:g})" in problem.message
    assert "rounded_labels" not in warnings(root)


def test_a_mask_on_other_axes_is_turned_with_a_warning(root, sound):
    put(root, "seg", mask()[::-1, ::-1], RAS)
    assert problems(root) == []
    assert warnings(root) == ["mask_reoriented"]
    assert_taken_alike(root, sound)


def test_a_mask_with_its_axes_in_another_order_is_turned_with_a_warning(root, sound):
    put(root, "seg", mask().transpose(2, 0, 1), AFFINE[:, [2, 0, 1, 3]])
    assert problems(root) == []
    assert warnings(root) == ["mask_reoriented"]
    assert_taken_alike(root, sound)


def test_a_mask_cropped_to_its_box_is_put_back_with_a_warning(root, sound):
    box = AFFINE.copy()
    box[:3, 3] = AFFINE[:3, :3] @ (3, 2, 1)
    put(root, "seg", mask()[3:8, 2:9, 1:8], box)
    assert problems(root) == []
    assert warnings(root) == ["mask_extent"]
    assert_taken_alike(root, sound)


def test_a_turned_mask_is_no_other_case(tmp_path):
    """Masks that are equal but for their axes have one checksum, by which duplicates are found."""
    write_sound(tmp_path, "BraTS-GLI-00002-000")
    write_sound(tmp_path)
    write_nifti(path_of(tmp_path, "seg"), mask()[::-1, ::-1], RAS)
    checksums = {
        validate_case(tmp_path, files, task=TASK, shape=None, labels="auto")[0].facts["tumour_crc32"]
        for files in discover_cases(tmp_path, TASK)
    }
    assert len(checksums) == 1


def turn_images(root, affine):
    """The images with their axes in other directions than `affine` has them."""
    unknown = nibabel.Nifti1Image(mask(), affine)
    for role in ("t1", "t1ce", "t2", "flair"):
        put(root, role, picture(role), unknown.as_reoriented(np.array([[0, -1], [1, -1], [2, 1]])).affine)


def test_a_mask_whose_header_gives_no_orientation_is_taken_voxel_for_voxel_with_a_warning(root, sound):
    """Its axes seem to run in other directions, but that is what readers take where nothing is said."""
    nibabel.save(nibabel.Nifti1Image(mask(), None), path_of(root, "seg"))
    assert problems(root) == []
    assert warnings(root) == ["orientation_unknown"] * 2
    assert_taken_alike(root, sound)
    turn_images(root, nibabel.load(path_of(root, "seg")).affine)
    assert np.array_equal(taken(root)[3].array, mask(enhancing=4))


def test_a_mask_is_taken_voxel_for_voxel_where_the_images_give_no_orientation(root):
    for role in ("t1", "t1ce", "t2", "flair"):
        nibabel.save(nibabel.Nifti1Image(picture(role), None), path_of(root, role))
    assert problems(root) == []
    assert warnings(root) == ["orientation_unknown"] * 5
    assert np.array_equal(taken(root)[3].array, mask(enhancing=4))


@pytest.mark.parametrize("changed", ["voxels", "shape"])
def test_a_mask_without_orientation_and_with_another_grid_is_refused(root, changed):
    other = nibabel.Nifti1Image(mask() if changed == "voxels" else mask()[1:], None)
    other.header.set_zooms((2, 2, 2) if changed == "voxels" else (1, 1, 1))
    nibabel.save(other, path_of(root, "seg"))
    (problem,) = verdict(root).problems
    assert problem.code == "mask_mismatch"
    assert "a header gives no orientation" in problem.message
    assert "resample" not in problem.message


def test_a_mask_between_the_voxels_of_the_images_is_refused(root):
    put(root, "seg", mask(shape=(5, 5, 5)), AFFINE + 0.5 * np.eye(4, k=3))
    assert problems(root) == [("mask_mismatch", path_of(root, "seg").relative_to(root).as_posix())]


@pytest.mark.parametrize(("setting", "codes"), [("drop", (["mask_mismatch"], [])), ("keep", ([], ["empty_mask"]))])
def test_an_empty_mask_drops_its_case_unless_it_is_kept(root, setting, codes):
    put(root, "seg", np.zeros(SHAPE, np.uint8))
    (files,) = discover_cases(root, TASK)
    found, _ = validate_case(root, files, task=TASK, shape=None, labels="auto", empty_masks=setting)
    assert found.case == CASE
    assert ([finding.code for finding in found.problems], [finding.code for finding in found.warnings]) == codes


def test_empty_masks_that_are_kept_still_have_to_fit(root):
    put(root, "seg", np.zeros((5, 5, 5), np.uint8))
    (files,) = discover_cases(root, TASK)
    found, _ = validate_case(root, files, task=TASK, shape=None, labels="auto", empty_masks="keep")
    assert [finding.code for finding in found.problems] == ["mask_mismatch"]
