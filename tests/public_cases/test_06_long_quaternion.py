"""Case 06: a quaternion whose length exceeds 1 by a rounding error."""

import numpy as np

from tests.public_cases import generate_case
from tests.support.case_files import TASK, check_case
from tumorseg.cohort.discovery import discover_cases


def test_the_affine_is_that_of_the_unit_quaternion(tmp_path):
    root = generate_case("06", tmp_path) / "cohort"
    exact, long = (check_case(root, files, shape=None, labels="auto") for files in discover_cases(root, TASK))
    assert (exact.usable, long.usable) == (True, True)
    np.testing.assert_allclose(long.facts["affine"], exact.facts["affine"], atol=1e-6)
    assert not [issue for issue in (*exact.warnings, *long.warnings) if "orientation" in issue.code]
