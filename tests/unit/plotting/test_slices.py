import itertools

import nibabel as nib
import numpy as np
import pytest

from tumorseg.orientation import reorient, reoriented_spacing_mm
from tumorseg.plotting.slices import (
    SliceImage,
    extract_slice,
    grey_values,
    slice_selection_mask,
    slices_with_most_errors,
    slices_with_most_tumour,
    window_around,
)
from tumorseg.task import load_task

TASK = load_task()

ORIENTATIONS = [
    tuple(code[flip] for code, flip in zip(axes, flips, strict=True))
    for axes in itertools.permutations([("R", "L"), ("A", "P"), ("S", "I")])
    for flips in itertools.product((0, 1), repeat=3)
]


def stored_as(codes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return a head with a mark at the right, front and top, stored on a grid with the axes `codes`, and its affine."""
    head = np.zeros((4, 5, 6))
    head[3, 4, 5] = 1  # the last voxel of axes that run to the right, the front and the top
    image = nib.Nifti1Image(head, np.diag([1.0, 2.0, 3.0, 1.0]))
    start = nib.orientations.io_orientation(image.affine)
    moved = image.as_reoriented(nib.orientations.ornt_transform(start, nib.orientations.axcodes2ornt(codes)))
    return moved.get_fdata(), moved.affine


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_right_front_and_top_are_where_a_radiologist_expects_them(codes):
    volume, affine = stored_as(codes)
    head, spacing = reorient(volume, affine), reoriented_spacing_mm(affine)
    assert extract_slice(head, spacing, "axial", 0).pixels[0, 0] == 1  # front up, right on the viewer's left
    assert extract_slice(head, spacing, "coronal", 0).pixels[0, 0] == 1  # top up, right on the viewer's left
    assert extract_slice(head, spacing, "sagittal", 0).pixels[0, 0] == 1  # top up, front on the viewer's left


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_a_slice_keeps_its_size_in_mm(codes):
    volume, affine = stored_as(codes)
    head, spacing = reorient(volume, affine), reoriented_spacing_mm(affine)
    assert extract_slice(head, spacing, "axial", 0).extent_mm == pytest.approx((4 * 1, 5 * 2))
    assert extract_slice(head, spacing, "coronal", 0).extent_mm == pytest.approx((4 * 1, 6 * 3))
    assert extract_slice(head, spacing, "sagittal", 0).extent_mm == pytest.approx((5 * 2, 6 * 3))


def test_the_slice_with_the_most_tumour_is_shown():
    tumour = np.zeros((5, 6, 7), bool)
    tumour[1, 2, 3:6] = True
    tumour[1, 4:6, 4] = True
    assert slices_with_most_tumour(tumour) == {"sagittal": 1, "coronal": 2, "axial": 4}


def test_the_prediction_selects_slices_if_the_reference_has_no_tumour():
    empty, one, two = np.zeros((2, 2), np.uint8), np.eye(2, dtype=np.uint8), 4 * np.eye(2, dtype=np.uint8)[::-1]
    for masks, shown in (((one, two), one), ((empty, two), two), ((None, two), two), ((None, None), empty)):
        assert np.array_equal(slice_selection_mask(*masks, task=TASK, shape=(2, 2)), shown > 0)


def test_slices_are_selected_by_the_whole_tumour_and_not_by_a_cavity():
    task = load_task("brats-glioma-post-treatment")
    reference = np.array([[4, 4, 2, 0]], np.uint8)
    only_cavity, prediction = np.array([[4, 4, 0, 0]], np.uint8), np.array([[0, 0, 0, 3]], np.uint8)
    assert slice_selection_mask(reference, task=task, shape=(1, 4)).tolist() == [[False, False, True, False]]
    assert slice_selection_mask(only_cavity, prediction, task=task, shape=(1, 4)).tolist() == [
        [False, False, False, True]
    ]
    assert slice_selection_mask(only_cavity, None, task=task, shape=(1, 4)).tolist() == [[True, True, False, False]]


def test_without_tumour_the_middle_slice_is_shown():
    assert slices_with_most_tumour(np.zeros((5, 6, 7), bool)) == {"sagittal": 2, "coronal": 3, "axial": 3}


def test_the_slice_with_the_most_errors_is_another_one():
    reference = np.zeros((5, 6, 7), np.uint8)
    reference[1, 2, 3:6] = 1
    prediction = reference.copy()
    prediction[1, 2, 3] = 4
    prediction[2, 4:6, 4] = 1
    shown = slices_with_most_tumour(reference > 0)
    assert slices_with_most_errors(reference, prediction, shown) == {"sagittal": 2, "coronal": 2, "axial": 4}
    assert slices_with_most_errors(reference, reference, shown) == shown


def test_the_window_is_around_the_tumour_and_within_the_slice():
    tumour = np.zeros((200, 100), bool)
    assert window_around(SliceImage(tumour, 1.0, 2.0)) == (slice(None), slice(None))
    tumour[100:110, 0:5] = True
    assert window_around(SliceImage(tumour, 1.0, 2.0)) == (slice(60, 150), slice(0, 45))
    tumour[20:110, 0:5] = True  # 90 mm long, with a margin of 20 mm at both ends
    assert window_around(SliceImage(tumour, 1.0, 2.0)) == (slice(0, 130), slice(0, 65))
    assert window_around(SliceImage(tumour, 4.0, 4.0)) == (slice(15, 115), slice(0, 100))


def test_the_background_is_black_although_tissue_can_be_below_0():
    brain = np.zeros((4, 4, 4), bool)
    brain[1:3] = True
    image = np.where(brain, np.linspace(-3, 3, 64).reshape(4, 4, 4), 0)
    grey = grey_values(image, brain)
    assert (grey[~brain] == 0).all()
    assert grey[brain].min() == pytest.approx(0.08)
    assert grey[brain].max() == pytest.approx(1)


@pytest.mark.parametrize("brain", [np.ones((3, 3, 3), bool), np.zeros((3, 3, 3), bool)])
def test_a_uniform_image_has_finite_grey_values(brain):
    assert np.isfinite(grey_values(np.full((3, 3, 3), 2.0), brain)).all()
