"""The measurements of a brain mask, and what is refused or warned of."""

import nibabel
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tests.support.case_files import learning_data
from tumorseg.preparation.brain_quality import brain_problem, brain_warnings, measure_brain

RAS = np.diag([3.0, 3.0, 3.0, 1.0])


def ellipsoid(lengths_mm=(135, 175, 130), affine=RAS, shape=(64, 72, 64), centre_mm=(0, 0, 0)):
    """Return the mask of an ellipsoid along the axes of the patient, and the affine with its centre in the middle."""
    affine = affine.copy()
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape) - 1) / 2
    points = nibabel.affines.apply_affine(affine, np.moveaxis(np.indices(shape), 0, -1)) - centre_mm
    return (((2 * points / lengths_mm) ** 2).sum(axis=-1) <= 1), affine


def problem(mask, affine):
    issue = brain_problem(measure_brain(mask, affine), "T1CE", "t1ce.nii.gz")
    return issue and issue.message.partition(";")[0]


def warnings(mask, affine):
    return [issue.code for issue in brain_warnings(measure_brain(mask, affine), "T1CE", "t1ce.nii.gz")]


def test_an_ellipsoid_is_measured_exactly():
    shape = measure_brain(*ellipsoid())
    assert shape.volume_ml == pytest.approx(np.pi / 6 * 135 * 175 * 130 / 1000, rel=0.005)
    assert shape.lengths_mm == pytest.approx((130, 135, 175), abs=0.5)
    assert shape.solidity == pytest.approx(1, abs=0.005)
    assert shape.cut == {}


def test_the_lengths_do_not_depend_on_the_grid():
    tilted = RAS.copy()
    tilted[:3, :3] = Rotation.from_euler("xyz", [20, -15, 10], degrees=True).as_matrix() @ np.diag([2.5, 3, 4])
    shape = measure_brain(*ellipsoid(affine=tilted, shape=(90, 80, 60)))
    assert shape.lengths_mm == pytest.approx((130, 135, 175), abs=1)


def test_a_brain_gives_neither_problem_nor_warning():
    assert problem(*ellipsoid()) is None
    assert warnings(*ellipsoid()) == []


def test_real_brains_give_no_problem():
    for path in sorted(learning_data().glob("*/*_t1ce.nii.gz")):
        image = nibabel.load(path)
        mask = np.asarray(image.dataobj) != 0
        assert problem(mask, image.affine) is None
        assert set(warnings(mask, image.affine)) <= {"brain_at_image_border"}


@pytest.mark.parametrize("affine", [RAS, np.diag([-3.0, -3.0, 3.0, 1]), np.diag([3.0, 3.0, -3.0, 1])])
def test_a_cut_is_named_by_the_side_of_the_patient(affine):
    mask, affine = ellipsoid(affine=affine, centre_mm=(0, 0, -50))
    assert list(measure_brain(mask, affine).cut) == ["lower"]
    assert warnings(mask, affine) == ["brain_at_image_border"]
    assert problem(mask, affine) is None


@pytest.mark.parametrize(
    ("lengths_mm", "start"),
    [
        ((60, 70, 60), "what was found as brain in T1CE has 13"),
        ((175, 185, 180), "what was found as brain in T1CE has 3,"),
        ((150, 150, 150), "what was found as brain in T1CE has the lengths 1"),
        ((90, 200, 95), "what was found as brain in T1CE has the lengths 90 x 95 x 20"),
        ((110, 120, 400), "what was found as brain in T1CE is cut off at the lower and upper end of the image"),
    ],
)
def test_what_has_not_the_size_of_a_brain_is_refused(lengths_mm, start):
    assert problem(*ellipsoid(lengths_mm)).startswith(start)


def test_a_shell_is_refused():
    mask, affine = ellipsoid()
    shell = mask & ~ellipsoid((100, 130, 95))[0]
    assert problem(shell, affine) == "what was found as brain in T1CE does not have the round shape of a brain"


def test_a_thin_slab_is_refused_and_half_a_brain_is_not():
    assert problem(*ellipsoid(centre_mm=(0, 0, -95))) is None
    assert "lengths" in problem(*ellipsoid((200, 220, 130), centre_mm=(0, 0, -125)))


def test_a_small_brain_gives_a_warning():
    assert warnings(*ellipsoid((100, 130, 95))) == ["brain_volume_unusual"]
