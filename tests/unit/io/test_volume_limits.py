"""Volumes beyond the setting `cohort.max_voxels`, and headers that promise more than their file can hold."""

import gzip
import itertools
import tracemalloc
from pathlib import Path

import nibabel
import numpy as np
import pytest

from tests.support.case_files import AFFINE, TASK, check_case, image, nifti_content, path_of, write_valid_case
from tests.unit.io.test_volume import DIM, patched
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_cases
from tumorseg.errors import UserError
from tumorseg.evaluation.mask_validation import ReferenceGrid, validate_predictions, validate_references
from tumorseg.evaluation.masks import MaskReadOptions
from tumorseg.io.volume import read_volume
from tumorseg.io.volume_errors import VolumeError
from tumorseg.io.volume_limits import max_file_bytes

SIDE = 20
VOLUME = np.random.default_rng(0).integers(0, 999, (SIDE, SIDE, SIDE), np.int16)


def refused(tmp_path, content: bytes, largest: int) -> VolumeError:
    (tmp_path / "x.nii.gz").write_bytes(content)
    with pytest.raises(VolumeError) as caught:
        read_volume(tmp_path / "x.nii.gz", largest)
    return caught.value


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float64])
def test_the_limit_counts_voxels_of_any_type(tmp_path, pack, kind):
    content = pack(nifti_content(VOLUME.astype(kind)))
    (tmp_path / "x.nii.gz").write_bytes(content)
    assert read_volume(tmp_path / "x.nii.gz", SIDE**3).array.size == SIDE**3
    error = refused(tmp_path, content, SIDE**3 - 1)
    assert error.code == "too_large"
    assert "20x20x20" in error.message
    assert "cohort.max_voxels is 7999; raise that setting" in error.message


def test_a_file_above_the_limit_is_refused_from_its_header_alone(tmp_path):
    for side, code in ((2048, "too_large"), (SIDE, "bad_header")):
        with (tmp_path / "x.nii.gz").open("wb") as file:
            file.write(patched(nifti_content(VOLUME), DIM, "<4h", 3, side, side, side))
            file.truncate(2**35)  # no space is taken
        with pytest.raises(VolumeError) as caught:
            read_volume(tmp_path / "x.nii.gz")
        assert (caught.value.code, caught.value.size_bytes) == (code, 2**35)
        assert caught.value.digest is None


def test_a_large_file_that_is_not_a_volume_is_identified(tmp_path):
    with (tmp_path / "x.nii.gz").open("wb") as file:
        file.write(b"\x89HDF\r\n\x1a\n")
        file.truncate(max_file_bytes(1000) + 1)
    with pytest.raises(VolumeError, match="HDF5") as caught:
        read_volume(tmp_path / "x.nii.gz", 1000)
    assert caught.value.code == "not_nifti"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_header_that_promises_more_than_its_file_can_hold_is_refused(tmp_path, pack):
    content = pack(patched(nifti_content(VOLUME), DIM, "<4h", 3, 32767, 32767, 32767))
    error = refused(tmp_path, content, 10**6)
    assert error.code == "bad_header"
    assert f"more than a file of {len(content)} bytes can hold" in error.message


def test_a_4d_file_beyond_the_limit_has_the_wrong_shape(tmp_path):
    several = np.zeros((10, 10, 10, 30), np.uint8)
    error = refused(tmp_path, gzip.compress(nifti_content(several)), 10_000)
    assert (error.code, "10x10x10x30" in error.message) == ("wrong_shape", True)


@pytest.mark.parametrize(
    ("shape", "read"),
    [((5, 6, 7, 1), (5, 6, 7)), ((5, 6, 7, 1, 1), (5, 6, 7)), ((5, 6, 1, 7), (5, 6, 1, 7)), ((5, 6, 1), (5, 6, 1))],
)
def test_axes_of_length_1_at_the_end_are_dropped(tmp_path, shape, read):
    content = nifti_content(np.arange(np.prod(shape), dtype=np.int16).reshape(shape))
    (tmp_path / "x.nii").write_bytes(content)
    volume = read_volume(tmp_path / "x.nii")
    assert volume.shape == read
    expected = np.asarray(nibabel.Nifti1Image.from_bytes(content).dataobj).reshape(read)
    np.testing.assert_array_equal(volume.array, expected)


def test_a_case_with_a_fourth_axis_of_length_1_is_usable(tmp_path):
    root = write_valid_case(tmp_path)
    path_of(root, "t2").write_bytes(gzip.compress(nifti_content(image("t2")[..., None], AFFINE)))
    (files,) = discover_cases(root, TASK)
    assert check_case(root, files, shape=None, labels="auto").usable


def test_a_small_file_that_promises_the_largest_volume_uses_little_memory(tmp_path):
    content = patched(nifti_content(VOLUME), DIM, "<4h", 3, 512, 512, 256)
    assert resident_after(lambda: refused(tmp_path, gzip.compress(content), 512 * 512 * 256)) < 50 * 2**20


def resident_after(action) -> int:
    """Return the increase in bytes of the process's peak memory."""
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = peak()
    action()
    return peak() - before


def peak() -> int:
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024


@pytest.mark.parametrize("role", ["t2", "seg"])
def test_a_case_with_a_volume_beyond_the_limit_is_dropped_and_its_file_named(tmp_path, role):
    root = write_valid_case(tmp_path)
    path_of(root, role).write_bytes(gzip.compress(nifti_content(np.pad(image(role), 1), AFFINE)))
    (files,) = discover_cases(root, TASK)
    limit = {"max_voxels": image().size}
    found, _ = validate_case(root, files, task=TASK, shape=None, labels="auto", **limit)
    assert [(problem.code, problem.file) for problem in found.problems] == [
        ("too_large", path_of(root, role).relative_to(root).as_posix())
    ]
    patient, _ = validate_case(
        root, files, task=TASK, shape=None, labels="auto", with_mask=False, **limit
    )  # as segment asks
    assert patient.usable == (role == "seg")


def test_a_prediction_beyond_the_limit_is_unusable_and_the_message_names_the_setting(tmp_path):
    path = tmp_path / "x.nii.gz"
    path.write_bytes(gzip.compress(nifti_content(np.ones((9, 9, 9), np.uint8))))
    reference = ReferenceGrid((9, 9, 9), np.diag([-1.0, -1, 1, 1]), True, frozenset({1}), ())
    small = MaskReadOptions(TASK, max_voxels=9**3 - 1)
    judged = validate_predictions(tmp_path, {"x": "x.nii.gz"}, {"x": reference}, small, 1)
    assert "cohort.max_voxels is 728" in judged["x"].reason
    with pytest.raises(UserError, match=r"cohort\.max_voxels is 728"):
        validate_references(tmp_path, {"x": "x.nii.gz"}, small, 1)


@pytest.mark.parametrize("kind", [np.int16, np.float64])
@pytest.mark.parametrize("members", [1, 50])
def test_a_volume_takes_the_memory_of_its_file_and_its_voxels(tmp_path, kind, members):
    content = nifti_content(np.random.default_rng(0).integers(0, 999, (128, 128, 64)).astype(kind))
    edges = np.linspace(0, len(content), members + 1, dtype=int)
    packed = b"".join(gzip.compress(content[start:stop], 1) for start, stop in itertools.pairwise(edges))
    (tmp_path / "x.nii.gz").write_bytes(packed)
    tracemalloc.start()
    try:
        read_volume(tmp_path / "x.nii.gz")
        assert tracemalloc.get_traced_memory()[1] < len(content) + len(packed) + 2**20
    finally:
        tracemalloc.stop()
