"""Thousands of corrupted files: each gives a validation result, and no corrupted one is usable."""

import gzip
import json
import warnings
from dataclasses import asdict

import nibabel
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.builders import hypothesis_settings
from tests.support.case_files import (
    AFFINE,
    SUFFIXES,
    TASK,
    check_case,
    image,
    mask,
    nifti_content,
    path_of,
    write_valid_case,
)
from tumorseg.cohort.discovery import discover_cases
from tumorseg.geometry import AFFINE_TOLERANCE_MM
from tumorseg.io.volume import read_volume

CONTENTS = {role: nifti_content(mask() if role == "seg" else image(role)) for role in SUFFIXES}
HARMLESS = {"data_type", "db_name", "descrip", "aux_file", "intent_name", "cal_max", "cal_min", "glmax", "glmin"}
FIELDS = {name: field[:2] for name, field in nibabel.Nifti1Header.template_dtype.fields.items() if name not in HARMLESS}
NUMBERS = st.sampled_from([0, 1, -1, 2, 3, 7, 8, 255, 32767, -32768, 2**31 - 1, -(2**31), 0.5, 1e30, np.nan, np.inf])


@st.composite
def corrupted_stream(draw, content):
    """Draw a compressed file whose bytes were cut, changed, lost, repeated or reordered after writing."""
    packed = gzip.compress(content, compresslevel=draw(st.sampled_from([1, 6, 9])), mtime=0)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(packed)))
        stop = draw(st.integers(start, min(len(packed), start + draw(st.sampled_from([1, 4, 64, 4096])))))
        other = draw(st.integers(0, len(packed)))
        packed = draw(
            st.sampled_from(
                [
                    packed[:start],
                    packed[start:],
                    packed[:start] + packed[stop:],
                    packed[:start] + bytes(byte ^ 1 << other % 8 for byte in packed[start:stop]) + packed[stop:],
                    packed[:start] + draw(st.binary(max_size=64)) + packed[stop:],
                    packed[:start] + bytes(stop - start) + packed[stop:],
                    packed[:other] + packed[start:stop] + packed[other:],
                    packed[:start] + packed[other:],
                    packed + packed[other:],
                    packed + gzip.compress(content[other:]),
                ]
            )
        )
    return packed


@st.composite
def corrupted_header(draw, content):
    """Draw a complete file, plain or compressed, with changed values in some header fields."""
    header = bytearray(content[:352])
    for _ in range(draw(st.integers(1, 3))):
        dtype, offset = FIELDS[draw(st.sampled_from(sorted(FIELDS)))]
        if dtype.base.kind in "iuf" and draw(st.booleans()):
            values = np.frombuffer(bytes(header[offset : offset + dtype.itemsize]), dtype.base).copy()
            with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                values[draw(st.integers(0, values.size - 1))] = np.float64(draw(NUMBERS)).astype(dtype.base)
            header[offset : offset + dtype.itemsize] = values.tobytes()
        else:
            header[offset : offset + dtype.itemsize] = draw(st.binary(min_size=dtype.itemsize, max_size=dtype.itemsize))
    whole = bytes(header) + content[352:]
    return draw(st.sampled_from([whole, gzip.compress(whole, 1)]))


@st.composite
def cut_or_made_up(draw, content):
    """Draw a plain file that is truncated or has extra data, or bytes that never were a volume."""
    start = draw(st.integers(0, len(content) - 1))
    anything = draw(st.binary(max_size=600))
    prefix = draw(st.sampled_from([b"", b"\x1f\x8b", b"\x1f\x8b\x08\x00" + bytes(6), b"PK\x03\x04", content[:352]]))
    return draw(
        st.sampled_from(
            [
                content[:start],
                content + content[start:],
                gzip.compress(content[:start], 1),
                gzip.compress(content + content[start:], 1),
                prefix + anything,
                gzip.compress(prefix + anything, 1),
            ]
        )
    )


def is_valid_gzip_of(packed, content):
    """Return whether the bytes are still a valid compressed file."""
    return packed in [gzip.compress(content, level, mtime=0) for level in (1, 6, 9)]


def is_unchanged(root, role):
    """Return whether a file has the original voxels and affine although some of its bytes changed."""
    volume = read_volume(path_of(root, role))
    original = mask() if role == "seg" else image(role)
    return np.array_equal(volume.array, original) and np.array_equal(volume.affine, AFFINE)


def is_read_as_nibabel_reads_it(root, role):
    """Return whether the changed header is read as nibabel reads it."""
    content = path_of(root, role).read_bytes()
    content = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    kind = nibabel.Nifti1Image if content[344:348] == b"n+1\0" else nibabel.Nifti2Image
    expected = kind.from_bytes(content)
    volume = read_volume(path_of(root, role))
    return np.allclose(volume.array, np.asarray(expected.dataobj), rtol=1e-6) and np.allclose(
        volume.affine, expected.affine, rtol=0, atol=AFFINE_TOLERANCE_MM
    )


def fuzz(root, examples):
    """Corrupt one file of a valid case and validate it, many times; return whether it was usable each time."""
    write_valid_case(root)
    (case,) = discover_cases(root, TASK)
    usable = []

    @hypothesis_settings(examples)
    @given(st.data())
    def corrupt_and_check(data):
        role = data.draw(st.sampled_from(sorted(SUFFIXES)))
        kind = data.draw(st.sampled_from([corrupted_stream, corrupted_header, cut_or_made_up]))
        path = path_of(root, role)
        valid = path.read_bytes()
        try:
            corrupted = data.draw(kind(CONTENTS[role]))
            assume(corrupted != CONTENTS[role] and not is_valid_gzip_of(corrupted, CONTENTS[role]))
            path.write_bytes(corrupted)
            result = check_case(root, case, shape=None, labels="auto")
            json.dumps(asdict(result), allow_nan=False)
            assert result.usable == (not result.problems)
            assert all(problem.message and str(root) not in problem.message for problem in result.problems)
            usable.append(result.usable)
            if result.usable:
                assert is_unchanged(root, role) or (
                    kind is corrupted_header and is_read_as_nibabel_reads_it(root, role)
                )
        finally:
            path.write_bytes(valid)

    corrupt_and_check()
    return usable


@pytest.mark.parametrize("examples", [400, pytest.param(5000, marks=pytest.mark.release)])
def test_corrupted_files_are_never_misread(tmp_path, examples):
    usable = fuzz(tmp_path, examples)
    assert len(usable) >= examples
    assert np.mean(usable) < 0.33  # usable only if a changed header is still valid; else nothing was tested
