import nibabel
import numpy as np
import pytest

from tests.support.case_files import TASK, image, mask, path_of, real_data, write_valid_case
from tumorseg.cohort.background import ZERO_BACKGROUND
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.preview import (
    PREVIEW_SIZE,
    axial_slice,
    make_preview,
    read_previews,
    slice_with_most_voxels,
    write_previews,
)

RAS = np.eye(4)


def validated(root):
    (case,) = discover_cases(root, TASK)
    return validate_case(root, case, task=TASK, shape=None, labels="auto")


def test_the_slice_with_most_tumour_is_found_along_the_axial_axis():
    where = np.flatnonzero(mask().reshape(-1, order="F"))  # of 10x11x12: z = 3 has 12 voxels, z = 4 has 8
    assert slice_with_most_voxels(where, (10, 11, 12), RAS) == 3
    assert slice_with_most_voxels(where, (10, 11, 12), RAS[:, [2, 1, 0, 3]]) == 5  # z runs along the first axis
    assert slice_with_most_voxels(where[:0], (10, 11, 12), RAS) == 6


def test_all_orientations_are_shown_with_right_at_left_and_front_at_top():
    volume = np.ones((5, 6, 7), np.int16)
    volume[4, 5, 2] = 9  # farthest to the right and to the front
    made = nibabel.Nifti1Image(volume, RAS)
    for codes in ("RAS", "LPS", "PIR", "SAL"):
        ornt = nibabel.orientations.ornt_transform(
            nibabel.orientations.io_orientation(RAS), nibabel.orientations.axcodes2ornt(codes)
        )
        turned = made.as_reoriented(ornt)
        array = np.asarray(turned.dataobj)
        where = np.flatnonzero(array.reshape(-1, order="F") == 9)
        index = slice_with_most_voxels(where, array.shape, turned.affine)
        picture = make_preview(
            {"t1": axial_slice(array, turned.affine, index)},
            {"t1": ZERO_BACKGROUND},
            None,
            turned.affine,
            TASK.channel_names,
        )
        assert picture.shape == (5, 6, 5)
        assert np.argwhere(picture[0] == 255).tolist() == [[0, 0]]


def test_missing_modalities_and_masks_are_blank_and_labels_are_unchanged():
    flair, labels = (axial_slice(volume, RAS, 3) for volume in (image("flair"), mask(enhancing=4)))
    with_mask = make_preview({"flair": flair}, {"flair": ZERO_BACKGROUND}, labels, RAS, TASK.channel_names)
    assert not with_mask[:3].any()
    assert set(np.unique(with_mask[4])) == {0, 1, 2, 4}
    assert not make_preview({"flair": flair}, {"flair": ZERO_BACKGROUND}, None, RAS, TASK.channel_names)[4].any()


def test_a_large_slice_is_subsampled():
    assert make_preview(
        {"t1": np.ones((480, 260, 1))}, {"t1": ZERO_BACKGROUND}, None, RAS, TASK.channel_names
    ).shape == (5, 87, 160)


def test_an_empty_slice_has_a_preview():
    assert make_preview({"t1": np.zeros((9, 8, 1))}, {"t1": ZERO_BACKGROUND}, None, RAS, TASK.channel_names).shape == (
        5,
        8,
        9,
    )


def test_previews_round_trip_for_any_case_name(tmp_path):
    pictures = {"__metadata__": np.ones((5, 2, 3), np.uint8), "é 1": np.zeros((5, 4, 4), np.uint8)}
    write_previews(tmp_path / "p", pictures)
    again = read_previews(tmp_path / "p")
    assert set(again) == set(pictures)
    np.testing.assert_array_equal(again["__metadata__"], pictures["__metadata__"])


@pytest.mark.parametrize("order", ["C", "F"])
def test_previews_round_trip_in_both_memory_orders(order, tmp_path):
    picture = np.asarray(np.arange(5 * 3 * 4, dtype=np.uint8).reshape(5, 3, 4), order=order)
    write_previews(tmp_path / "p", {"A": picture})
    np.testing.assert_array_equal(read_previews(tmp_path / "p")["A"], picture)


def test_the_readable_images_of_a_dropped_case_are_shown(tmp_path):
    root = write_valid_case(tmp_path)
    path_of(root, "t2").write_bytes(b"")
    result, picture = validated(root)
    assert not result.usable
    assert [bool(channel.any()) for channel in picture] == [True, True, False, True, True]
    assert set(result.facts["intensities"]) == {"t1", "t1ce", "flair"}
    for role in ("t1", "t1ce", "flair"):
        path_of(root, role).unlink()
    assert validated(root)[1] is None


@pytest.mark.parametrize("case", ["BraTS2021_00006", "BraTS2021_01484"])
def test_real_cases_are_shown(case):
    root = real_data()
    files = next(found for found in discover_cases(root, TASK) if found.case == case)
    result, picture = validate_case(root, files, task=TASK, shape=None, labels="auto")
    assert max(picture.shape[1:]) <= PREVIEW_SIZE
    assert all(channel.any() for channel in picture)
    facts = result.facts["intensities"]["flair"]
    assert 0 < facts["min"] <= facts["p01"] < facts["median"] < facts["p99"] <= facts["max"]
