"""Case 08: skull-stripped images with a non-zero background are normalised like those with background 0."""

import nibabel
import numpy as np
import pytest

from tests.public_cases import generate_case
from tests.support.case_files import TASK
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_cases
from tumorseg.preprocessing.normalisation import normalise_validated_case

SETTINGS = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 1}
KINDS = {1: "constant", 2: "ringing", 3: "z-score", 4: "padded"}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return generate_case("08", tmp_path_factory.mktemp("case")) / "cohort"


def validation_result(root, number):
    files = next(case for case in discover_cases(root, TASK) if case.case == f"BraTS2021_{600 + number:05d}")
    return validate_case(root, files, task=TASK, shape=None, labels="auto")[0]


def write_with_zero_background(root, number, result, folder):
    """Write the case with background 0 and its original intensities inside the brain."""
    for role, facts in result.facts["files"].items():
        image = nibabel.load(root / facts["path"])
        voxels = np.asarray(image.dataobj)
        if role in TASK.channel_names:
            x, y, z = np.indices(voxels.shape)
            brain = ((x - 23.5) / 20) ** 2 + ((y - 27.5) / 24) ** 2 + ((z - 19.5) / 17) ** 2 < 1
            shift = voxels[0, 0, 0] if KINDS[number] in ("constant", "z-score") else 0
            voxels = np.where(brain, voxels - shift, 0)
        path = folder / facts["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(voxels, image.affine, image.header), path)
    return folder


@pytest.mark.parametrize("number", KINDS, ids=KINDS.values())
def test_the_normalised_image_equals_that_of_the_image_with_background_0(cohort, tmp_path, number):
    found = validation_result(cohort, number)
    assert found.usable
    assert [warning.code for warning in found.warnings] == ["background_not_zero"] * 4
    zero = write_with_zero_background(cohort, number, found, tmp_path)
    expected = normalise_validated_case(zero, validation_result(zero, number), SETTINGS, task=TASK)
    normalised = normalise_validated_case(cohort, found, SETTINGS, task=TASK)
    assert normalised.origin.crop == expected.origin.crop
    assert normalised.image.shape == (4, 42, 50, 36)  # the brain and a margin of one voxel
    np.testing.assert_array_equal(normalised.image != 0, expected.image != 0)
    np.testing.assert_allclose(normalised.image, expected.image, atol=4e-3)
    np.testing.assert_array_equal(normalised.mask, expected.mask)
    assert set(normalised.origin.backgrounds) == set(TASK.channel_names)


@pytest.mark.parametrize("number", [0, 5])
def test_background_0_gets_no_warning(cohort, number):
    found = validation_result(cohort, number)
    assert found.warnings == ()
    assert normalise_validated_case(cohort, found, SETTINGS, task=TASK).origin.backgrounds == {}
