import nibabel
import numpy as np
import pytest

from tests.support.case_files import (
    CASE,
    SHAPE,
    SUFFIXES,
    TASK,
    check_case,
    image,
    mask,
    path_of,
    real_data,
    validated,
    write_valid_case,
)
from tumorseg.cohort.discovery import discover_cases
from tumorseg.errors import UserError
from tumorseg.io.nifti import write_nifti
from tumorseg.preprocessing.crop import uncrop
from tumorseg.preprocessing.normalisation import normalise_intensities, normalise_validated_case
from tumorseg.preprocessing.store import read_case, write_case
from tumorseg.task.conventions import from_canonical

SETTINGS = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 1}


def test_the_brain_has_mean_0_and_deviation_1_and_the_background_is_0():
    voxels = image().astype(np.int16)
    normalised, _ = normalise_intensities(voxels, (0, 100))
    brain = normalised[voxels != 0].astype(np.float64)
    assert brain.mean() == pytest.approx(0, abs=1e-3)
    assert brain.std() == pytest.approx(1, abs=1e-3)
    assert np.all(normalised[voxels == 0] == 0)
    assert normalised.dtype == np.float16


def test_intensities_are_clipped_to_percentiles_of_the_brain():
    voxels = image()
    voxels[5, 5, 5] = 32767
    normalised, applied = normalise_intensities(voxels, (1, 99))
    low, high = np.percentile(voxels[voxels != 0], (1, 99))
    assert (applied["low"], applied["high"]) == (low, high)
    clipped = np.clip(voxels[voxels != 0], low, high)
    assert applied["mean"] == pytest.approx(clipped.mean())
    assert applied["std"] == pytest.approx(clipped.std())
    assert normalised.max() == pytest.approx((high - clipped.mean()) / clipped.std(), rel=1e-3)


def test_a_slab_that_was_not_acquired_stays_background_and_does_not_shift_the_rest():
    whole, slab = image(), image()
    slab[:, :, :5] = 0
    normalised, _ = normalise_intensities(slab, (0, 100))
    assert np.all(normalised[:, :, :5] == 0)
    np.testing.assert_array_equal(normalised[:, :, 5:], normalise_intensities(whole[:, :, 5:], (0, 100))[0])


@pytest.mark.parametrize("value", [0, 7, 0.1])
def test_an_image_of_a_single_value_becomes_0(value):
    voxels = np.zeros((4, 4, 4), np.float32)
    voxels[1:3] = value
    assert not normalise_intensities(voxels, (0.5, 99.5))[0].any()


def test_large_values_do_not_overflow():
    voxels = image().astype(np.float64) * 1e8
    normalised, _ = normalise_intensities(voxels, (0, 100))
    assert np.isfinite(normalised).all()
    np.testing.assert_allclose(normalised, normalise_intensities(image(), (0, 100))[0], atol=2e-3)


@pytest.mark.parametrize("scale", [1e-28, 1e17, 1e34])
def test_values_whose_squares_overflow_float32_are_normalised(scale):
    voxels = image().astype(np.float32) * np.float32(scale)
    normalised, applied = normalise_intensities(voxels, (0, 100))
    assert np.isfinite(applied["std"])
    np.testing.assert_allclose(normalised, normalise_intensities(image(), (0, 100))[0], atol=2e-3)


@pytest.mark.parametrize("enhancing", [3, 4])
def test_a_case_is_cropped_and_its_mask_has_the_labels_of_the_task(tmp_path, enhancing):
    root = write_valid_case(tmp_path, enhancing=enhancing)
    case = normalise_validated_case(root, validated(root), SETTINGS, task=TASK)
    assert case.origin.crop == ((1, 9), (1, 10), (1, 11))
    assert case.image.shape == (4, 8, 9, 10)
    assert (case.image.dtype, case.mask.dtype) == (np.float16, np.uint8)
    np.testing.assert_array_equal(case.mask, mask(enhancing=4)[1:9, 1:10, 1:11])
    np.testing.assert_array_equal(case.image[3] != 0, image("flair")[1:9, 1:10, 1:11] != 0)


def test_the_crop_is_undone_exactly(tmp_path):
    root = write_valid_case(tmp_path)
    case = normalise_validated_case(root, validated(root), SETTINGS, task=TASK)
    np.testing.assert_array_equal(from_canonical(uncrop(case.mask, case.origin), TASK, "brats2023"), mask())
    assert case.origin.shape == SHAPE


def test_a_mask_without_enhancing_tumour_has_no_convention(tmp_path):
    root = write_valid_case(tmp_path, enhancing=2)
    case = normalise_validated_case(root, validated(root), SETTINGS, task=TASK)
    assert case.origin.convention is None
    assert set(np.unique(case.mask)) == {0, 1, 2}


def test_a_normalised_case_is_read_as_it_was_written(tmp_path):
    root = write_valid_case(tmp_path / "cases")
    case = normalise_validated_case(root, validated(root), SETTINGS, task=TASK)
    write_case(tmp_path / f"{CASE}.safetensors", case)
    again = read_case(tmp_path / f"{CASE}.safetensors")
    np.testing.assert_array_equal(again.image, case.image)
    assert again.origin == case.origin


@pytest.mark.parametrize(("content", "words"), [(None, "changed since"), (b"", r"now invalid \(empty_file")])
def test_a_file_that_changed_since_validation_is_refused(tmp_path, content, words):
    root = write_valid_case(tmp_path)
    found = validated(root)
    write_nifti(path_of(root, "t2"), image("t2", seed=9), np.diag([-1.0, -1, 1, 1]))
    if content is not None:
        path_of(root, "t2").write_bytes(content)
    with pytest.raises(UserError, match=f"t2w.nii.gz: .*{words}"):
        normalise_validated_case(root, found, SETTINGS, task=TASK)


def test_a_real_case_is_normalised_and_its_mask_restored():
    root = real_data()
    files = next(case for case in discover_cases(root, TASK) if case.case == "BraTS2021_01476")
    case = normalise_validated_case(
        root, check_case(root, files, shape=None, labels="auto"), SETTINGS | {"margin_voxels": 4}, task=TASK
    )
    expected = np.asarray(nibabel.load(root / files.files["seg"][0]).dataobj)
    np.testing.assert_array_equal(from_canonical(uncrop(case.mask, case.origin), TASK, "brats2021"), expected)
    brain = case.image[0][case.image[0] != 0].astype(np.float64)
    assert abs(brain.mean()) < 0.01
    assert abs(brain.std() - 1) < 0.01


def test_without_a_voxel_size_or_with_that_of_the_case_a_file_has_the_same_bytes(tmp_path):
    root = write_valid_case(tmp_path / "data")
    contents = []
    for spacing in ({}, {"spacing_mm": None}):
        write_case(tmp_path / "a", normalise_validated_case(root, validated(root), SETTINGS | spacing, task=TASK))
        contents.append((tmp_path / "a").read_bytes())
    assert contents[0] == contents[1]
    plain, same = (
        normalise_validated_case(root, validated(root), SETTINGS | {"spacing_mm": value}, task=TASK)
        for value in (None, 1)
    )
    np.testing.assert_array_equal(plain.image, same.image)
    assert (same.origin.resampled, same.cropped) == (None, None)


@pytest.mark.parametrize("codes", ["RAS", "SAL", "PIR"])
@pytest.mark.parametrize("oblique", [False, True])
def test_resampling_depends_on_anatomical_axes_and_not_on_those_of_the_file(tmp_path, codes, oblique):
    turn = nibabel.eulerangles.euler2mat(0.2, -0.1, 0.3) if oblique else np.eye(3)
    affine = nibabel.affines.from_matvec(turn @ np.diag([-1, -1, 2]), [5, 6, 7])
    cases = []
    for name, axes in (("as made", "LPS"), ("turned", codes)):
        for role in SUFFIXES:
            made = nibabel.Nifti1Image(mask() if role == "seg" else image(role), affine)
            change = nibabel.orientations.ornt_transform(
                nibabel.orientations.io_orientation(affine), nibabel.orientations.axcodes2ornt(axes)
            )
            turned = made.as_reoriented(change)
            write_nifti(path_of(tmp_path / name, role), np.asarray(turned.dataobj), turned.affine)
        result = validated(tmp_path / name)
        settings = SETTINGS | {"spacing_mm": [2, 1.5, 1]}
        cases.append(normalise_validated_case(tmp_path / name, result, settings, task=TASK))
    first, second = cases
    assert first.image.shape[1:] == (5, 6, 20)  # from 1 to 9, 10 and 11 voxels of 1 x 1 x 2 mm
    np.testing.assert_allclose(first.image.astype(np.float32), second.image.astype(np.float32), atol=5e-3)
    np.testing.assert_array_equal(first.mask, second.mask)
    assert uncrop(second.on_cropped_grid().mask, second.origin).shape == second.origin.shape
