"""Case 19: NaN around the brain is background; NaN within the brain is a problem."""

import numpy as np
import pytest

from tests.public_cases import generate_case
from tests.support.case_files import TASK
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_cases
from tumorseg.preprocessing.normalisation import normalise_validated_case


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return generate_case("19", tmp_path_factory.mktemp("case")) / "cohort"


@pytest.fixture(scope="module")
def results(root):
    return [validate_case(root, case, task=TASK, shape=None, labels="auto")[0] for case in discover_cases(root, TASK)]


def test_nan_around_the_brain_is_read_as_background(root, results):
    assert results[0].usable
    assert [warning.code for warning in results[0].warnings] == ["background_not_zero"] * 4
    case = normalise_validated_case(root, results[0], {"clip_percentiles": [0.5, 99.5], "margin_voxels": 0}, task=TASK)
    assert case.image.shape == (4, 40, 48, 34)  # the box of the brain
    assert np.isfinite(case.image).all()
    assert np.all(case.image[:, 0, 0, 0] == 0)


def test_one_nan_voxel_within_the_brain_drops_the_case(results):
    assert [problem.code for problem in results[1].problems] == ["not_finite"] * 4
    assert "voxel (24, 28, 20)" in results[1].problems[0].message


def test_background_0_gets_no_warning(results):
    assert (results[2].usable, results[2].warnings) == (True, ())
