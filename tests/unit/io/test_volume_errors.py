"""Files that are not volumes, or only pointers to one: each is identified."""

import gzip
import io
import os
import struct
import tarfile
import zipfile

import nibabel
import numpy as np
import pytest

from tests.support.case_files import AFFINE, CASE, image, nifti_content, path_of, problems, validated, write_valid_case
from tumorseg.io.volume import read_volume
from tumorseg.io.volume_errors import VolumeError


def error_of(path) -> VolumeError:
    with pytest.raises(VolumeError) as found:
        read_volume(path)
    return found.value


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.nii", nifti_content(image()))
    return content.getvalue()


def tarred() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        member = tarfile.TarInfo("a.nii")
        member.size = len(nifti_content(image()))
        archive.addfile(member, io.BytesIO(nifti_content(image())))
    return content.getvalue()


def mgh() -> bytes:
    return nibabel.MGHImage(image().astype(np.float32), AFFINE).to_bytes()


def analyze() -> bytes:
    header = nibabel.AnalyzeHeader()
    header.set_data_shape((10, 11, 12))
    return header.binaryblock + bytes(4000)


def of_pair() -> bytes:
    header = nibabel.Nifti1Header()
    header["magic"] = b"ni1"
    return header.binaryblock


FOREIGN = {
    "a zip archive": zipped(),
    "a tar archive": tarred(),
    "compressed with bzip2": b"BZh91AY&SY" + bytes(range(256)),
    "compressed with xz": b"\xfd7zXZ\0\0\x04" + bytes(500),
    "a DICOM file": bytes(128) + b"DICM" + bytes(500),
    "an NRRD file": b"NRRD0004\ntype: short\ndimension: 3\n\n" + bytes(500),
    "a MetaImage header": b"ObjectType = Image\nNDims = 3\nElementDataFile = a.raw\n",
    "an HDF5 file": b"\x89HDF\r\n\x1a\n" + bytes(500),
    "a NetCDF file": b"CDF\x01" + bytes(500),
    "a NumPy array": b"\x93NUMPY\x01\0" + bytes(500),
    "a FreeSurfer volume": mgh(),
    "an Analyze header": analyze(),
    "the header of an .hdr": of_pair(),
    "begins with zeros": bytes(5000),
    "a web page": b"\xef\xbb\xbf\n\n  <HTML><BODY>Log in</BODY></HTML>",
    "is XML": b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    "is JSON": b'{"message": "Not Found", "status": 404}',
    "is text": b"404: Not Found",
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("what", FOREIGN)
def test_a_file_that_is_not_a_volume_is_identified(tmp_path, what, pack):
    (tmp_path / "x.nii.gz").write_bytes(pack(FOREIGN[what]))
    found = error_of(tmp_path / "x.nii.gz")
    assert (found.code, what in found.message) == ("not_nifti", True), found.message


def test_a_file_compressed_twice_is_identified(tmp_path):
    (tmp_path / "x.nii.gz").write_bytes(gzip.compress(gzip.compress(nifti_content(image()))))
    assert "compressed twice" in error_of(tmp_path / "x.nii.gz").message


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize(
    "start", ["<!DOCTYPE html><html>", " \r\n\t<!doctype HTML>\n", "<!-- saved -->\n<html lang='en'>"]
)
def test_a_web_page_is_recognised_by_all_its_beginnings(tmp_path, encoding, start):
    (tmp_path / "x.nii.gz").write_bytes(f"{start}<title>Log in</title>".encode(encoding))
    assert "web page" in error_of(tmp_path / "x.nii.gz").message


def test_an_error_message_of_a_server_is_quoted(tmp_path):
    (tmp_path / "x.nii.gz").write_bytes(b'{"error": "quota exceeded"}')
    assert "quota exceeded" in error_of(tmp_path / "x.nii.gz").message


@pytest.mark.parametrize(
    ("content", "command"),
    [
        ("/annex/objects/SHA256E-s12--abc.nii.gz\n", "git annex get"),
        ("../../.git/annex/objects/aB/cD/KEY/KEY", "git annex get"),  # a link as Windows checks it out
        ("version https://git-lfs.github.com/spec/v1\r\noid sha256:ab\r\nsize 12\r\n", "git lfs pull"),
        ("outs:\n- md5: ab\n  path: x.nii.gz\n", "dvc pull"),
    ],
)
def test_a_pointer_is_reported_with_the_command_that_downloads_its_content(tmp_path, content, command):
    (tmp_path / "x.nii.gz").write_bytes(content.encode())
    found = error_of(tmp_path / "x.nii.gz")
    assert (found.code, f"`{command}" in found.message) == ("not_downloaded", True)


@pytest.mark.parametrize(
    ("target", "code", "words"),
    [
        ("../../.git/annex/objects/KEY/KEY", "not_downloaded", "datalad get"),
        ("/elsewhere/.git/annex/objects/KEY/KEY", "not_downloaded", "datalad get"),
        ("/home/me/.dvc/cache/files/md5/ab/cd", "not_downloaded", "dvc pull"),
        ("/mnt/away/t2.nii.gz", "unreadable", "a link to t2.nii.gz, which does not exist"),
    ],
)
def test_a_broken_link_is_reported_by_its_target(tmp_path, target, code, words):
    (tmp_path / "x.nii.gz").symlink_to(target)
    found = error_of(tmp_path / "x.nii.gz")
    assert (found.code, words in found.message) == (code, True)


@pytest.mark.parametrize(
    ("kind", "what"),
    [(2048, "complex numbers"), (128, "RGB colours"), (2304, "RGBA colours"), (1792, "complex numbers")],
)
def test_unsupported_voxel_types_are_named(tmp_path, kind, what):
    content = bytearray(nifti_content(image()))
    struct.pack_into("<h", content, 70, kind)
    (tmp_path / "x.nii").write_bytes(content)
    found = error_of(tmp_path / "x.nii")
    assert found.code == "wrong_data_type"
    assert what in found.message


def test_devices_and_fifos_are_refused_by_their_kind_and_never_opened(tmp_path):
    os.mkfifo(tmp_path / "fifo.nii.gz")
    (tmp_path / "zero.nii.gz").symlink_to("/dev/zero")
    (tmp_path / "folder.nii.gz").mkdir()
    kinds = {name: error_of(tmp_path / f"{name}.nii.gz") for name in ("fifo", "zero", "folder")}
    assert {found.code for found in kinds.values()} == {"unreadable"}
    for name, words in {"fifo": "a FIFO", "zero": "a device", "folder": "a folder"}.items():
        assert f"this is {words}" in kinds[name].message


def test_a_case_with_a_fifo_for_a_modality_is_dropped(tmp_path):
    root = write_valid_case(tmp_path)
    path_of(root, "t2").unlink()
    os.mkfifo(path_of(root, "t2"))
    assert problems(root) == [("unreadable", path_of(root, "t2").relative_to(root).as_posix())]


@pytest.mark.parametrize(
    ("names", "code", "words"),
    [
        (("t2w.hdr", "t2w.img"), "missing_modality", f"found {CASE}-t2w.hdr and {CASE}-t2w.img: convert the pair to"),
        (("t2w.hdr", "t2w.img.gz"), "missing_modality", "convert the pair to .nii.gz"),
        (("t2w.nrrd",), "missing_modality", f"found {CASE}-t2w.nrrd: convert it to .nii.gz"),
        (("t2w.mgz",), "missing_modality", "convert it to .nii.gz"),
        (("t2w.nii.bz2",), "missing_modality", "convert it to .nii.gz"),
        (("t2w.nii.gz.dvc",), "not_downloaded", "dvc pull"),
        (("t1n.hdr", "t1n.img"), "missing_modality", "or add it. Found, but not understood"),  # of another modality
    ],
)
def test_the_file_found_in_place_of_a_missing_one_is_named(tmp_path, names, code, words):
    root = write_valid_case(tmp_path)
    path_of(root, "t2").unlink()
    for name in names:
        (root / CASE / f"{CASE}-{name}").write_bytes(b"x")
    (problem,) = validated(root).problems
    assert (problem.code, words in problem.message) == (code, True), problem.message
