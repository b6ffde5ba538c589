"""The background of an image is found at its border, whatever its values."""

from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel
import numpy as np
import pytest

from tests.support.case_files import TASK, path_of, real_data, write_valid_case
from tumorseg.cohort.background import ZERO_BACKGROUND, Background
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.summaries import summarise_image
from tumorseg.io.nifti import write_nifti
from tumorseg.io.volume import read_volume
from tumorseg.preprocessing.normalisation import normalise_intensities

SHAPE = (40, 44, 36)


X, Y, Z = np.indices(SHAPE)
BRAIN = ((X - 20) / 16) ** 2 + ((Y - 22) / 18) ** 2 + ((Z - 17) / 14) ** 2 < 1


def brain_image():
    """Return float32 intensities from 60 to 160 in the brain and 0 around it."""
    noise = np.clip(np.random.default_rng(0).normal(0, 8, SHAPE), -30, 30)
    return np.where(BRAIN, 110 + 20 * np.sin(X / 5) * np.cos(Y / 6) + noise, 0).astype(np.float32)


IMAGE = brain_image()
ZSCORE = (IMAGE - IMAGE.mean()) / IMAGE.std()


def summarise(voxels, spacing=(1.0, 1.0, 1.0)):
    """Return the summary of an image with these voxels."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t1.nii"
        nibabel.save(nibabel.Nifti1Image(voxels, np.diag([*spacing, 1.0]), dtype=voxels.dtype), path)
        return summarise_image(read_volume(path), "t1", path.name, None)


def warnings(voxels):
    return [issue.code for issue in summarise(voxels).warnings]


BACKGROUNDS = {
    "shifted up": IMAGE + 2,
    "shifted down": IMAGE - 1024,
    "z-score of the volume": ZSCORE,
    "z-score of the brain, padded": np.where(BRAIN, (IMAGE - IMAGE[BRAIN].mean()) / IMAGE[BRAIN].std(), -9),
    "padded with -32768": np.where(BRAIN, IMAGE, -32768).astype(np.float32),
    "padded, int16": np.where(BRAIN, IMAGE.round(), -1000).astype(np.int16),
    "padded with the largest uint16": np.where(BRAIN, IMAGE.round(), 65535).astype(np.uint16),
    "with noise": IMAGE + np.random.default_rng(1).normal(0, 0.3, SHAPE),
    "ringing, 0 at the border": np.where(BRAIN | (abs(X - 20) > 17), IMAGE, 0.05 * np.sin(X * Y + Z)),
    "NaN": np.where(BRAIN, IMAGE, np.nan).astype(np.float32),
    "a fill value and 0": np.where(X + Y < 8, -500, IMAGE),
    "NaN and 0": np.where(X < 3, np.nan, IMAGE),
    "0 in a frame of -1000": np.pad(IMAGE[1:-1, 1:-1, 1:-1], 1, constant_values=-1000),
    "shifted, then padded with 0": np.pad((IMAGE + 2)[2:-2, 2:-2, 2:-2], 2),
    "z-score of the volume, then padded with 0": np.pad(ZSCORE[2:-2, 2:-2, 2:-2], 2),
    "shifted, then padded with -1000": np.pad((IMAGE + 2)[2:-2, 2:-2, 2:-2], 2, constant_values=-1000),
}
INEXACT = ("with noise", "padded, int16", "padded with the largest uint16")
"""Images whose brain differs slightly from that of `IMAGE`."""


@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_a_background_other_than_0_is_found_and_normalised_to_0(kind):
    changed = BACKGROUNDS[kind]
    found = summarise(changed)
    assert [issue.code for issue in found.warnings] == ["background_not_zero"]
    assert found.problems == []
    np.testing.assert_array_equal(found.background.mask(changed), ~BRAIN)
    normalised, _ = normalise_intensities(changed, (0.5, 99.5), found.background)
    expected, _ = normalise_intensities(IMAGE, (0.5, 99.5))
    np.testing.assert_allclose(normalised, expected, atol=0.1 if kind in INEXACT else 4e-3)


@pytest.mark.parametrize("levels", [(100, 100), (30, 100), (100, 30)])
def test_a_brain_with_only_one_or_two_values_is_not_padding(levels):
    outer, inner = levels
    volume = np.where(BRAIN, np.where(abs(X - 20) + abs(Y - 22) + abs(Z - 17) < 9, inner, outer), 0).astype(np.int16)
    assert summarise(volume).background == ZERO_BACKGROUND


@pytest.mark.parametrize(
    "region",
    [
        (slice(4, 37), slice(4, 41), slice(3, 32)),
        (slice(8, 33), slice(8, 37), slice(6, 29)),
        (slice(0, 40), slice(0, 44), slice(12, 36)),
    ],
    ids=["to the brain", "into the brain", "from below"],
)
def test_a_tightly_cropped_image_with_background_0_has_no_warning(region):
    found = summarise(IMAGE[region])
    assert (found.background, found.warnings) == (ZERO_BACKGROUND, [])


def test_the_background_of_a_tightly_cropped_image_is_found():
    region = (slice(8, 33), slice(8, 37), slice(6, 29))
    found = summarise((IMAGE + 2)[region])
    np.testing.assert_array_equal(found.background.mask((IMAGE + 2)[region]), ~BRAIN[region])


def test_a_border_of_tissue_has_no_background():
    rng = np.random.default_rng(0)
    assert warnings(rng.integers(400, 600, SHAPE).astype(np.int16)) == ["no_background"]


def test_facts_restore_the_background():
    for found in (ZERO_BACKGROUND, Background(((-0.25, 0.5), (0.0, 0.0)), nan=True), Background((), nan=True)):
        assert Background.from_facts(found.facts()) == found


@pytest.mark.parametrize(("value", "message"), [(np.inf, "infinite"), (np.nan, "within the brain")])
def test_a_non_finite_voxel_within_the_brain_is_a_problem(value, message):
    image = np.where(BRAIN, IMAGE, np.nan)
    image[20, 22, 17] = value
    (problem,) = summarise(image).problems
    assert problem.code == "not_finite"
    assert message in problem.message
    assert "voxel (20, 22, 17)" in problem.message


def test_an_image_of_nan_is_a_problem():
    assert [issue.code for issue in summarise(np.full(SHAPE, np.nan, np.float32)).problems] == ["not_finite"]


def test_intensities_do_not_depend_on_the_background():
    found, expected = (summarise(image).intensities for image in (np.where(BRAIN, IMAGE, -32768), IMAGE))
    assert found == pytest.approx(expected)


def test_only_values_below_the_background_are_negative():
    assert "negative_intensities" not in warnings(ZSCORE)
    image = IMAGE.copy()
    image[20, 22, 17] = -5
    assert warnings(image) == ["negative_intensities"]
    assert warnings(image + 2) == ["negative_intensities", "background_not_zero"]


def read_voxels(path):
    image = nibabel.load(path)
    return np.asarray(image.dataobj), image.affine


def test_tumour_in_the_background_of_all_images_is_outside_the_brain(tmp_path):
    root = write_valid_case(tmp_path)
    (case,) = discover_cases(root, TASK)
    before = validate_case(root, case, task=TASK, shape=None, labels="auto")
    for role in ("t1", "t1ce", "t2", "flair"):
        volume, affine = read_voxels(path_of(root, role))
        write_nifti(path_of(root, role), volume + 40, affine)
    volume, affine = read_voxels(path_of(root, "seg"))
    volume[0, 0, 0] = 1
    write_nifti(path_of(root, "seg"), volume, affine)
    found, preview = validate_case(root, case, task=TASK, shape=None, labels="auto")
    assert [warning.code for warning in found.warnings] == ["background_not_zero"] * 4 + ["tumour_outside_brain"]
    np.testing.assert_array_equal(preview[:4], before[1][:4])


def test_real_cases_have_background_0_and_no_warning_about_it():
    root = real_data()
    for case in discover_cases(root, TASK)[:3]:
        found = validate_case(root, case, task=TASK, shape=None, labels="auto")[0]
        assert {Background.from_facts(facts) for facts in found.facts["background"].values()} == {ZERO_BACKGROUND}
        assert not {warning.code for warning in found.warnings} - {"no_enhancing_tumour", "saturated_intensities"}
