"""The orientation in a header: qform and sform, one of them, both, or neither."""

import nibabel
import numpy as np
import pytest

from tests.support.case_files import image, path_of, validated, warnings, write_valid_case
from tests.unit.io.test_volume import read
from tumorseg.io.volume_errors import VolumeError

LPS = np.array([[-1.0, 0, 0, 0], [0, -1, 0, 55], [0, 0, 1, 0], [0, 0, 0, 1]])
TURNED = nibabel.affines.from_matvec(nibabel.eulerangles.euler2mat(0.1, 0.2, 0.3) * [1, 2, 1.5], [5, 6, 7])


def moved(*far):
    affine = LPS.copy()
    affine[:3, 3] += far
    return affine


def made(qform, sform, qform_code=1, sform_code=2, voxels=None) -> bytes:
    """Return a file with these two forms; a form that is None has the code 0."""
    made = nibabel.Nifti1Image(image() if voxels is None else voxels, None)
    made.set_qform(LPS if qform is None else qform, 0 if qform is None else qform_code)
    made.set_sform(LPS if sform is None else sform, 0 if sform is None else sform_code)
    return made.to_bytes()


def note(tmp_path, content: bytes):
    found = read(tmp_path, content).orientation_warning
    return found and found.code


@pytest.mark.parametrize("affine", [LPS, TURNED, np.diag([0.9, 0.9, 3, 1])])
@pytest.mark.parametrize("given", ["both", "qform", "sform"])
def test_forms_that_agree_and_a_form_alone_give_no_warning(tmp_path, affine, given):
    content = made(affine if given != "sform" else None, affine if given != "qform" else None)
    volume = read(tmp_path, content)
    assert volume.orientation_warning is None
    assert volume.forms is None
    np.testing.assert_allclose(volume.affine, affine, atol=1e-5)


@pytest.mark.parametrize(("far", "expected"), [(0.05, None), (0.2, "orientations_disagree")])
def test_a_small_fraction_of_a_voxel_is_no_disagreement(tmp_path, far, expected):
    assert note(tmp_path, made(moved(far, 0, 0), LPS)) == expected


def test_the_warning_reports_the_largest_distance_between_corners(tmp_path):
    mirrored = np.diag([-1.0, 1, 1, 1]) @ LPS  # the far corner, 9 voxels away, lands 18 mm off
    volume = read(tmp_path, made(mirrored, LPS))
    assert volume.orientation_warning.code == "orientations_disagree"
    assert "up to 18 mm apart; the sform is used" in volume.orientation_warning.message
    np.testing.assert_allclose(volume.affine, LPS)


def test_a_slight_rotation_that_moves_the_corners_is_a_disagreement(tmp_path):
    turn = np.eye(4)
    turn[:3, :3] = nibabel.eulerangles.euler2mat(0.05, 0, 0)
    assert note(tmp_path, made(turn @ LPS, LPS)) == "orientations_disagree"


def test_a_sform_with_shears_disagrees_with_its_qform(tmp_path):
    shears = LPS.copy()
    shears[0, 1] = 0.3
    assert note(tmp_path, made(shears, shears)) == "orientations_disagree"
    alone = read(tmp_path, made(None, shears))
    assert alone.orientation_warning is None
    assert alone.forms["sform_code"] == 2


def test_a_qform_that_cannot_be_computed_disagrees_with_the_sform(tmp_path):
    content = bytearray(made(LPS, LPS))
    content[256:260] = np.float32(np.nan).tobytes()  # quatern_b
    volume = read(tmp_path, bytes(content))
    assert volume.orientation_warning.code == "orientations_disagree"
    assert volume.forms is None  # forms that are not finite cannot be copied to a mask


def test_a_header_without_an_orientation_is_read_with_a_warning(tmp_path):
    content = made(None, None)
    volume = read(tmp_path, content)
    assert volume.orientation_warning.code == "orientation_unknown"
    np.testing.assert_array_equal(volume.affine, nibabel.Nifti1Image.from_bytes(content).affine)
    assert (volume.forms["qform_code"], volume.forms["sform_code"]) == (0, 0)


def quaternion(*parts) -> bytes:
    content = bytearray(made(np.eye(4), None))
    content[256:268] = np.array(parts, "<f4").tobytes()
    return bytes(content)


@pytest.mark.parametrize("excess", [2e-6, 5e-5])
@pytest.mark.parametrize("axis", [(0, 0, 1), (0, 0.6, 0.8), (0.48, 0.6, 0.64)])
def test_a_quaternion_too_long_by_rounding_is_normalised(tmp_path, excess, axis):
    volume = read(tmp_path, quaternion(*(np.array(axis) * np.sqrt(1 + excess))))
    # A rotation by 180° about the axis, computed without nibabel.
    np.testing.assert_allclose(volume.affine[:3, :3], 2 * np.outer(axis, axis) - np.eye(3), atol=1e-6)
    assert volume.orientation_warning is None


def test_an_invalid_quaternion_is_refused_unless_the_sform_is_used(tmp_path):
    with pytest.raises(VolumeError, match=r"its quaternion is not a rotation \(b² \+ c² \+ d² is 1.2") as caught:
        read(tmp_path, quaternion(0, 0, np.sqrt(1.2)))
    assert caught.value.code == "bad_header"
    content = bytearray(made(LPS, LPS))
    content[256:268] = np.array([0, 0, 1.1], "<f4").tobytes()
    np.testing.assert_allclose(read(tmp_path, bytes(content)).affine, LPS)


def test_a_disagreement_is_a_warning_about_its_file(tmp_path):
    root = write_valid_case(tmp_path)
    path_of(root, "t2").write_bytes(made(moved(10, -20, 60), np.diag([-1.0, -1, 1, 1]), voxels=image("t2")))
    found = validated(root)
    assert found.usable
    assert [(finding.code, finding.file) for finding in found.warnings if "orientation" in finding.code] == [
        ("orientations_disagree", path_of(root, "t2").relative_to(root).as_posix())
    ]
    assert "orientation_unknown" not in warnings(root)
