"""Files built to exhaust memory: each gives a validation result, and the job uses no more memory than others."""

import json
import subprocess
import sys

import nibabel
import numpy as np
import pytest
from isal import igzip, isal_zlib

from tests.support.builders import REPOSITORY
from tests.support.case_files import AFFINE, SUFFIXES, TASK, image, nifti_content, path_of, write_valid_case
from tumorseg.cli.console import job_record_path
from tumorseg.cohort.case_files import case_to_json
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.validation_result import read_validation_results
from tumorseg.io.files import read_json

CASE = "BraTS-GLI-{:05d}-000"
EDGE = 320  # of the largest accepted volume


def promising(shape, kind=nibabel.Nifti1Header):
    """Return a valid compressed file whose header promises another shape."""
    header = kind()
    header.set_data_dtype(np.int16)
    header.set_data_shape(shape)
    header["vox_offset"], header["magic"] = {348: (352, b"n+1"), 540: (544, b"n+2")}[int(header["sizeof_hdr"])]
    return igzip.compress(header.binaryblock + bytes(4) + bytes(5000))


def bomb(gibibytes):
    """Return a few compressed MiB of a valid beginning and many zeros, ending with a harmless length."""
    packer = isal_zlib.compressobj(level=1, wbits=31)
    zeros = bytes(2**24)
    pieces = [
        packer.compress(nifti_content(image())),
        *(packer.compress(zeros) for _ in range(64 * gibibytes)),
        packer.flush(),
    ]
    return b"".join(pieces)[:-4] + len(nifti_content(image())).to_bytes(4, "little")


def largest(seed, kind):
    """Return the largest accepted floating-point volume: noise without a voxel of 0."""
    noise = np.random.default_rng(seed).normal(500, 100, 4_999)
    volume = np.resize(noise.astype(kind), (EDGE, EDGE, EDGE))
    return igzip.compress(nifti_content(volume, AFFINE), 1)


@pytest.fixture
def validated(tmp_path):
    """Return a function that runs the real script; it returns the results by case and the peak memory in MiB."""

    def validate():
        cases = [case_to_json(case) for case in discover_cases(tmp_path / "cohort", TASK)]
        outputs = ["--output", tmp_path / "v.json", "--previews", tmp_path / "p", "--log", tmp_path / "log"]
        command = [
            sys.executable,
            REPOSITORY / "scripts/validate_batch.py",
            "--root",
            tmp_path / "cohort",
            "--task",
            TASK.name,
        ]
        settings = json.dumps({"shape": None, "labels": "auto", "empty_masks": "drop", "max_voxels": EDGE**3})
        subprocess.run(
            [*command, "--root", tmp_path / "cohort", "--cases", *cases, "--settings", settings, *outputs],
            check=True,
            capture_output=True,
        )
        peak = read_json(job_record_path(tmp_path / "log"))["peak_memory_mib"]
        return {result.case: result for result in read_validation_results(tmp_path / "v.json")}, peak

    return validate


def test_decompression_bombs_and_huge_headers_are_refused_in_little_memory(tmp_path, validated):
    contents = [bomb(4), promising((32767,) * 4), promising((2**20, 2**20, 2**10), nibabel.Nifti2Header)]
    for number, content in enumerate(contents):
        case = CASE.format(number)
        path_of(write_valid_case(tmp_path / "cohort", case, seed=number), "t2", case).write_bytes(content)
    results, peak = validated()
    found = [[problem.code for problem in results[case].problems] for case in sorted(results)]
    assert found == [["bad_header"]] * 3
    assert peak < 300


@pytest.mark.release
def test_the_largest_accepted_volumes_fit_in_the_memory_of_a_job(tmp_path, validated):
    for role in SUFFIXES:
        path = path_of(tmp_path / "cohort", role, CASE.format(0))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(largest(len(role), np.float32))
    everywhere = CASE.format(1)
    write_valid_case(tmp_path / "cohort", everywhere)
    path_of(tmp_path / "cohort", "seg", everywhere).write_bytes(
        igzip.compress(nifti_content(np.ones((EDGE, EDGE, EDGE), np.uint8)))
    )
    results, peak = validated()
    # T1 and T2 are the same noise: both are read again, one at a time.
    assert [problem.code for problem in results[CASE.format(0)].problems] == ["duplicate_modality", "bad_label"]
    assert [problem.code for problem in results[everywhere].problems] == ["mask_mismatch"]
    assert peak < 700
