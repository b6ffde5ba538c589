import gc
import gzip
import struct
import tracemalloc
from contextlib import suppress

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_128_hexdigest

from tests.support.builders import hypothesis_settings
from tests.support.case_files import AFFINE, image, nifti_content, real_data
from tumorseg.io.volume import read_volume
from tumorseg.io.volume_errors import VolumeError


def read(tmp_path, content: bytes, name: str = "x.nii.gz"):
    (tmp_path / name).write_bytes(content)
    return read_volume(tmp_path / name)


def code(tmp_path, content: bytes) -> str:
    with pytest.raises(VolumeError) as caught:
        read(tmp_path, content)
    return caught.value.code


def patched(content: bytes, offset: int, layout: str, *values) -> bytes:
    changed = bytearray(content)
    struct.pack_into(layout, changed, offset, *values)
    return bytes(changed)


DIM, DATATYPE, VOX_OFFSET, SLOPE, SROW_X = 40, 70, 108, 112, 280  # byte offsets in the header of NIfTI-1


@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_content_and_not_the_name_decides_about_compression(tmp_path, name, pack):
    content = pack(nifti_content(image()))
    volume = read(tmp_path, content, name)
    np.testing.assert_array_equal(volume.array, image())
    assert volume.array.dtype == np.int16
    np.testing.assert_array_equal(volume.affine, AFFINE)
    assert volume.spacing_mm == (1, 1, 1)
    assert (volume.size_bytes, volume.digest) == (len(content), xxh3_128_hexdigest(content))


def test_a_corrupted_file_leaves_nothing_in_memory(tmp_path):
    """Not even until the next garbage collection, which allocating bytes does not trigger."""
    path = tmp_path / "x.nii"
    path.write_bytes(nifti_content(np.ones((100, 100, 100), np.int16))[:-2])
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(3):
            with suppress(VolumeError):
                read_volume(path)
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
        gc.enable()


def test_nifti2_and_big_endian_are_read(tmp_path):
    second = nibabel.Nifti2Image(image(), AFFINE).to_bytes()
    np.testing.assert_array_equal(read(tmp_path, gzip.compress(second)).array, image())
    big = nibabel.Nifti1Header(endianness=">")
    swapped = nibabel.Nifti1Image(image().astype(">i2"), AFFINE, big).to_bytes()
    volume = read(tmp_path, swapped)
    np.testing.assert_array_equal(volume.array, image())
    assert volume.array.dtype.isnative


def test_scaling_is_applied_only_if_it_is_set(tmp_path):
    scaled = patched(nifti_content(image()), SLOPE, "<2f", 0.5, -3)
    np.testing.assert_array_equal(read(tmp_path, scaled).array, image() * np.float32(0.5) - 3)
    assert read(tmp_path, patched(nifti_content(image()), SLOPE, "<2f", 0, 7)).array.dtype == np.int16
    assert read(tmp_path, patched(nifti_content(image()), SLOPE, "<2f", 1, 0)).array.dtype == np.int16


@pytest.mark.parametrize("changes", [{"pixdim": 0}, {"qform_code": -1}, {"sform_code": 99}])
def test_small_errors_of_the_orientation_are_read_as_in_nibabel(tmp_path, changes):
    made = nibabel.Nifti1Image(image(), AFFINE)
    made.set_qform(np.diag([1.0, 1.0, 2.0, 1.0]), code=1)
    made.set_sform(AFFINE, code=0 if "pixdim" in changes else 1)
    content = bytearray(made.to_bytes())
    offsets = {"pixdim": (76, "<f"), "qform_code": (252, "<h"), "sform_code": (254, "<h")}
    for field, value in changes.items():
        struct.pack_into(offsets[field][1], content, offsets[field][0], value)
    (tmp_path / "n.nii").write_bytes(content)
    np.testing.assert_allclose(read(tmp_path, bytes(content)).affine, nibabel.load(tmp_path / "n.nii").affine)


def test_extensions_before_the_voxels_are_skipped(tmp_path):
    made = nibabel.Nifti1Image(image(), AFFINE)
    made.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"x" * 500))
    volume = read(tmp_path, gzip.compress(made.to_bytes()))
    np.testing.assert_array_equal(volume.array, image())


def test_several_gzip_members_are_joined(tmp_path):
    content = nifti_content(image())
    volume = read(tmp_path, gzip.compress(content[:1000]) + gzip.compress(content[1000:]))
    np.testing.assert_array_equal(volume.array, image())


def test_bytes_after_the_compressed_content_are_counted_but_padding_is_not(tmp_path):
    content = gzip.compress(nifti_content(image()))
    assert read(tmp_path, content + b"garbage").trailing_bytes == 7
    assert read(tmp_path, content + bytes(512)).trailing_bytes == 0


@pytest.mark.parametrize(
    ("corrupt", "expected"),
    [
        (lambda _: b"", "empty_file"),
        (lambda _: gzip.compress(b""), "empty_file"),
        (lambda content: gzip.compress(content)[:-1], "truncated"),
        (lambda content: gzip.compress(content)[:-9], "truncated"),
        (lambda content: gzip.compress(content)[:12], "truncated"),
        (lambda content: gzip.compress(content[:-1]), "truncated"),
        (lambda content: content[:-1], "truncated"),
        (lambda content: content[:200], "truncated"),
        (lambda content: patched(gzip.compress(content), 500, "<I", 0xDEADBEEF), "crc_mismatch"),
        (lambda content: gzip.compress(content)[:-8] + bytes(4) + gzip.compress(content)[-4:], "crc_mismatch"),
        (lambda content: gzip.compress(content)[:-4] + bytes(4), "crc_mismatch"),
        (lambda _: gzip.compress(b"a" * 400)[:-8] + bytes(8), "crc_mismatch"),
        (lambda content: gzip.compress(content[:1000]) + gzip.compress(content[1000:])[:-8], "truncated"),
        (lambda _: b"<!DOCTYPE html>" * 50, "not_nifti"),
        (lambda _: gzip.compress(bytes(3000)), "not_nifti"),
        (lambda content: patched(content, 344, "4s", b"\0"), "not_nifti"),
        (lambda content: patched(content, 0, "<I", 300), "bad_header"),
        (lambda content: patched(content, DIM, "<h", 0), "bad_header"),
        (lambda content: patched(content, DIM, "<4h", 3, 10, -11, 12), "bad_header"),
        (lambda content: gzip.compress(patched(content, DIM, "<8h", 7, *[32767] * 7)), "bad_header"),
        (lambda content: patched(content, DATATYPE, "<h", 128), "wrong_data_type"),
        (lambda content: patched(content, DATATYPE, "<h", 999), "bad_header"),
        (lambda content: patched(content, VOX_OFFSET, "<f", np.nan), "bad_header"),
        (lambda content: patched(content, VOX_OFFSET, "<f", 0), "bad_header"),  # readers disagree about what it means
        (lambda content: patched(content, VOX_OFFSET, "<f", 1e30), "bad_header"),
        (lambda content: patched(content, SLOPE, "<2f", 2, np.inf), "bad_header"),
        (lambda content: patched(content, SROW_X, "<f", np.nan), "bad_header"),
        (lambda content: patched(content, SROW_X, "<4f", 0, 0, 0, 0), "bad_header"),
        (lambda content: content + b"more", "bad_header"),
        (lambda content: gzip.compress(content + bytes(1)), "bad_header"),
        (lambda content: gzip.compress(content) * 2, "bad_header"),
    ],
)
def test_each_corruption_has_its_code(tmp_path, corrupt, expected):
    assert code(tmp_path, corrupt(nifti_content(image()))) == expected


def test_folders_and_missing_files_are_unreadable(tmp_path):
    (tmp_path / "link.nii.gz").symlink_to("gone")
    for path in (tmp_path, tmp_path / "absent.nii.gz", tmp_path / "link.nii.gz"):
        with pytest.raises(VolumeError) as caught:
            read_volume(path)
        assert caught.value.code == "unreadable"
        assert str(tmp_path) not in caught.value.message


def test_a_decompression_bomb_is_refused_within_bounded_memory(tmp_path):
    start = nifti_content(image())[:352]
    bomb = gzip.compress(start + bytes(2**20), 9) + gzip.compress(bytes(2**24), 9) * 100
    tracemalloc.start()
    try:
        assert code(tmp_path, bomb) == "bad_header"
        assert tracemalloc.get_traced_memory()[1] < 30 * 2**20  # of the 1.6 GiB in it
    finally:
        tracemalloc.stop()


VALID = nifti_content(image())
COMPRESSED = gzip.compress(VALID)


@hypothesis_settings(150)
@given(st.data())
def test_a_corrupted_file_gives_its_voxels_or_a_volume_error(tmp_path, data):
    where = data.draw(st.integers(0, len(COMPRESSED) - 1))
    kind = data.draw(st.sampled_from(["cut", "cut plain", "flip", "random", "header"]))
    content = {
        "cut": lambda: COMPRESSED[:where],
        "cut plain": lambda: VALID[:where],
        "flip": lambda: COMPRESSED[:where] + bytes([COMPRESSED[where] ^ 1 << where % 8]) + COMPRESSED[where + 1 :],
        "random": lambda: b"\x1f\x8b\x08\x00" + data.draw(st.binary(max_size=500)),
        "header": lambda: VALID[:40] + data.draw(st.binary(min_size=304, max_size=304)) + VALID[344:],
    }[kind]()
    (tmp_path / "x.nii.gz").write_bytes(content)
    try:
        volume = read_volume(tmp_path / "x.nii.gz")
    except VolumeError:
        return
    assert kind in ("flip", "header")  # in a name or a time, which do not concern the voxels
    if kind == "flip":
        np.testing.assert_array_equal(volume.array, image())


def test_real_files_are_read_as_in_nibabel():
    path = real_data() / "BraTS2021_01476/BraTS2021_01476_flair.nii.gz"
    volume, expected = read_volume(path), nibabel.load(path)
    np.testing.assert_array_equal(volume.array, np.asarray(expected.dataobj))
    np.testing.assert_array_equal(volume.affine, expected.affine)
