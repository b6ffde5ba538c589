"""Case 27: data types and containers of NIfTI."""

import nibabel
import numpy as np
import pytest

from tests.public_cases import generate_case
from tests.support.case_files import TASK, check_case
from tumorseg.cohort.discovery import discover_cases
from tumorseg.io.volume import read_volume


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return generate_case("27", tmp_path_factory.mktemp("27")) / "cohort"


def results(root):
    return [check_case(root, files, shape=None, labels="auto") for files in discover_cases(root, TASK)]


def test_the_first_ten_are_usable_and_read_as_with_nibabel(root):
    for result in results(root)[:10]:
        assert result.usable, result.problems
        path = root / result.facts["files"]["t2"]["path"]
        if not result.case.endswith(("1606", "1609")):  # nibabel converts these
            np.testing.assert_array_equal(read_volume(path).array, np.asarray(nibabel.load(path).dataobj))


def test_the_last_three_are_dropped_and_their_type_is_named(root):
    pair, complex_, rgb = results(root)[10:]
    ((problem,), (other,), (colours,)) = pair.problems, complex_.problems, rgb.problems
    assert problem.code == "missing_modality"
    assert "found BraTS2021_01610_t2.hdr and BraTS2021_01610_t2.img: convert the pair to .nii.gz" in problem.message
    assert (other.code, colours.code) == ("wrong_data_type", "wrong_data_type")
    assert "complex numbers" in other.message
    assert "RGB colours" in colours.message
