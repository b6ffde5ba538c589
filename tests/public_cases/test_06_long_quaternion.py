import numpy as np

from tests.public_cases import made
from tests.support.case_files import TASK, check_case
from tumorseg.cohort.discovery import discover_cases


def test_a_quaternion_too_long_by_rounding_gives_the_affine_without_the_excess(tmp_path):
    root = made("06", tmp_path) / "cohort"
    exact, long = (check_case(root, files, shape=None, labels="auto") for files in discover_cases(root, TASK))
    assert (exact.usable, long.usable) == (True, True)
    np.testing.assert_allclose(long.facts["affine"], exact.facts["affine"], atol=1e-6)
    assert not [finding for finding in (*exact.warnings, *long.warnings) if "orientation" in finding.code]
