"""Diameters of shapes with known size, on grids of any voxel size and orientation."""

from itertools import permutations, product

import numpy as np
import pytest

from tests.support.shapes import SHAPE, box, ellipsoid, grid, rotated
from tumorseg.clinical.diameters import find_axial_plane, measure_lesions

MILLIMETRE = grid()


def largest(mask, affine=MILLIMETRE):
    return measure_lesions(mask, affine).largest


def lengths(mask, affine=MILLIMETRE):
    lesion = largest(mask, affine)
    return lesion.diameter_mm, lesion.perpendicular_mm


@pytest.mark.parametrize("diameter_mm", [5, 10, 20, 33.3])
def test_both_diameters_of_a_sphere_are_its_diameter_within_a_voxel(diameter_mm):
    assert lengths(ellipsoid([diameter_mm] * 3, MILLIMETRE)) == pytest.approx((diameter_mm, diameter_mm), abs=1)


@pytest.mark.parametrize("degrees", [0, 17, 30, 45, 80, 90, 133])
def test_diameters_of_a_tilted_ellipsoid_are_its_axes(degrees):
    found = lengths(ellipsoid([40, 20, 15], MILLIMETRE, degrees=degrees))
    assert found == pytest.approx((40, 20), abs=1)


def test_a_long_axis_between_feet_and_head_does_not_count():
    assert lengths(ellipsoid([20, 12, 36], MILLIMETRE)) == pytest.approx((20, 12), abs=1)


def test_thick_slices_do_not_change_diameters_in_the_plane():
    spacing, shape = (0.5, 0.5, 5.0), (120, 120, 13)
    affine = grid(spacing, shape)
    assert lengths(ellipsoid([40, 20, 30], affine, shape, degrees=25), affine) == pytest.approx((40, 20), abs=0.5)


def test_anisotropic_voxels_in_the_plane_count_in_millimetres():
    affine = grid((0.5, 2.0, 1.0))
    assert lengths(box((40, 10, 5)), affine) == pytest.approx((np.hypot(20, 20), np.hypot(20, 20)), abs=2)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_permuted_and_flipped_axes_give_the_same_diameters(order):
    mask = ellipsoid([30, 18, 24], MILLIMETRE, degrees=35) | ellipsoid([8, 8, 8], MILLIMETRE, centre_mm=(14, 14, 0))
    expected = largest(mask)
    for signs in product((1, -1), repeat=3):
        turned = mask.transpose(order)[tuple(slice(None, None, sign) for sign in signs)]
        found = largest(turned, reoriented(order, signs))
        assert found.product_mm2 == pytest.approx(expected.product_mm2)
        assert found.volume_mm3 == expected.volume_mm3


def reoriented(order, signs):
    """Return the affine of a mask of 1 mm after a transposition and flips."""
    matrix = np.zeros((4, 4))
    for axis, (source, sign) in enumerate(zip(order, signs, strict=True)):
        matrix[source, axis] = sign
        matrix[source, 3] = 0 if sign > 0 else SHAPE[source] - 1
    matrix[3, 3] = 1
    return MILLIMETRE @ matrix


@pytest.mark.parametrize("degrees", [0, 12, 25, 44])
def test_an_oblique_grid_measures_in_its_own_planes_and_says_how_far_they_are_tilted(degrees):
    affine = rotated(MILLIMETRE, degrees, (1, 2))
    assert find_axial_plane(affine).angle_degrees == pytest.approx(degrees)
    assert lengths(ellipsoid([24, 24, 24], affine), affine) == pytest.approx((24, 24), abs=1)


def test_a_rotation_within_the_plane_does_not_tilt_it():
    assert find_axial_plane(rotated(MILLIMETRE, 40, (0, 1))).angle_degrees == pytest.approx(0, abs=1e-5)


def test_sagittal_slices_are_measured_across_their_thickness():
    affine = grid((5.0, 0.5, 0.5))
    plane = find_axial_plane(affine)
    assert (plane.axis, plane.edge_mm, plane.thickness_mm) == (2, 5.0, 0.5)


def test_the_ends_are_in_the_space_of_the_affine():
    affine = rotated(grid((1.0, 1.0, 2.0)), 20, (1, 2))
    lesion = largest(box((21, 11, 3)), affine)
    for ends, length in (
        (lesion.diameter_ends_mm, lesion.diameter_mm),
        (lesion.perpendicular_ends_mm, lesion.perpendicular_mm),
    ):
        assert np.linalg.norm(np.subtract(*ends)) == pytest.approx(length)
        voxels = (np.array(ends) - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T
        assert np.ptp(voxels[:, 2]) == pytest.approx(0, abs=1e-6)
        assert ((voxels >= 9.49) & (voxels <= [30.51, 20.51, 12.51])).all()


def test_one_voxel_has_the_diameters_of_its_edges():
    lesion = largest(box((1, 1, 1)), grid((0.9, 0.9, 4.0)))
    assert (lesion.diameter_mm, lesion.perpendicular_mm) == pytest.approx((0.9, 0.9), abs=1e-4)
    assert lesion.volume_mm3 == pytest.approx(0.9 * 0.9 * 4)


def test_voxels_that_share_a_corner_are_one_lesion():
    assert measure_lesions(box((2, 2, 2)) | box((2, 2, 2), start=(12, 12, 12)), MILLIMETRE).count == 1
    assert measure_lesions(box((2, 2, 2)) | box((2, 2, 2), start=(13, 12, 12)), MILLIMETRE).count == 2


def test_no_lesion_has_no_diameters():
    found = measure_lesions(np.zeros(SHAPE, bool), MILLIMETRE)
    assert (found.count, found.measurable, found.largest) == (0, (), None)


@pytest.mark.parametrize(
    ("sides", "measurable"),
    [((12, 12, 2), 1), ((12, 12, 1), 0), ((30, 9, 9), 0), ((7, 7, 30), 0)],
)
def test_a_measurable_lesion_has_two_long_diameters_and_two_planes(sides, measurable):
    found = measure_lesions(box(sides), MILLIMETRE)
    assert (found.count, len(found.measurable)) == (1, measurable)


@pytest.mark.parametrize(("thickness_mm", "measurable"), [(5.0, 1), (7.0, 0)])
def test_in_thick_slices_a_measurable_lesion_is_two_slices_long(thickness_mm, measurable):
    assert len(measure_lesions(box((9, 9, 3)), grid((1, 1, thickness_mm))).measurable) == measurable


def test_the_largest_lesion_is_the_measurable_one_with_the_largest_product():
    wide, tall = box((30, 9, 30), start=(2, 2, 2)), box((14, 14, 3), start=(40, 40, 2))
    assert largest(wide | tall).volume_mm3 == 14 * 14 * 3
    assert largest(wide).volume_mm3 == 30 * 9 * 30
