"""A model with a voxel size of its own segments patients with any voxels, on their own grids."""

from dataclasses import replace

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from tests.support.case_files import SUFFIXES, path_of, write_valid_case
from tests.support.patients import CARD, mask_of, segment, tiny_segmenter
from tumorseg.inference.segmenter import Segmenter
from tumorseg.preprocessing.resampling import resampled_grid, restore_probabilities

AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])
SHAPE = (48, 40, 44)


def card_with(spacing_mm):
    return replace(CARD, normalisation={**CARD.normalisation, "spacing_mm": list(map(float, spacing_mm))})


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return tiny_segmenter()


def write_patient(root, case: str, factors=(1, 1, 1)):
    """Write smooth images of 1 mm, or what a scanner sees with voxels that are `factors` times as long."""
    places = np.meshgrid(*(np.linspace(-1, 1, 2 * side + 1)[1::2] for side in SHAPE), indexing="ij")
    inside = sum(place**2 for place in places) < 0.8
    blocked = [part for side, factor in zip(SHAPE, factors, strict=True) for part in (side // factor, factor)]
    brain = inside.reshape(blocked).sum(axis=(1, 3, 5))
    affine = AFFINE @ nibabel.affines.from_matvec(np.diag(factors), (np.array(factors) - 1) / 2)
    for seed, role in enumerate(role for role in SUFFIXES if role != "seg"):
        texture = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), 2.5)
        total = np.where(inside, 500 + 2000 * texture, 0).reshape(blocked).sum(axis=(1, 3, 5))
        image = np.where(brain >= np.prod(factors) / 2, total / np.maximum(brain, 1), 0)
        path = path_of(root, role, case)
        path.parent.mkdir(parents=True, exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(image.astype(np.float32), affine), path)


@pytest.fixture(scope="module")
def segmented(tmp_path_factory):
    """The folder of the masks of three patients with the same brain, and the results, for a model of 2 mm."""
    folder = tmp_path_factory.mktemp("patients")
    for case, factors in {"fine": (1, 1, 1), "same": (2, 2, 2), "thick": (1, 1, 4)}.items():
        write_patient(folder / "data", case, factors)
    segmenter = tiny_segmenter(probabilities=True)
    return folder / "out", segment(folder / "data", folder / "out", segmenter, card_with((2, 2, 2)))


def probabilities_of(folder, case):
    """Return the probabilities of background and the labels 1, 2 and 4, (4, X, Y, Z)."""
    written = np.asarray(nibabel.load(folder / f"{case}-probabilities.nii.gz").dataobj)
    return np.ascontiguousarray(np.moveaxis(written, 3, 0))


def test_masks_are_on_the_grid_of_each_patient(segmented):
    folder, patients = segmented
    assert [patient.case for patient in patients] == ["fine", "same", "thick"]
    shapes = {case: mask_of(folder, case).shape for case in ("fine", "same", "thick")}
    assert shapes == {"fine": SHAPE, "same": (24, 20, 22), "thick": (48, 40, 11)}
    for patient in patients:
        assert patient.volumes["WT"] > 0
        assert (folder / f"{patient.case}.png").exists()


def test_a_patient_of_1_mm_is_segmented_like_the_same_patient_of_2_mm(segmented):
    folder, _ = segmented
    grid = resampled_grid("fine", SHAPE, tuple((0, side) for side in SHAPE), (1, 1, 1), (2, 2, 2))
    expected = restore_probabilities(probabilities_of(folder, "same"), grid).argmax(axis=0)
    found = np.asarray(mask_of(folder, "fine").dataobj)
    brain = np.asarray(nibabel.load(path_of(folder.parent / "data", "t1", "fine")).dataobj) != 0
    assert np.mean(found[brain] == expected[brain]) > 0.97
    counts = [[np.count_nonzero(masks[brain] == label) for label in range(4)] for masks in (found, expected)]
    assert min(counts[0]) > 500
    np.testing.assert_allclose(*counts, rtol=0.05)


def test_only_voxels_that_lack_detail_get_a_warning(segmented):
    _, patients = segmented
    codes = {patient.case: "spacing_unlike_training" in patient.warning_codes for patient in patients}
    assert codes == {"fine": False, "same": False, "thick": True}


def test_a_patient_that_has_the_voxels_already_gets_the_mask_of_the_model_without_resampling(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data")
    (plain,) = segment(root, tmp_path / "a", segmenter)
    (same,) = segment(root, tmp_path / "b", segmenter, card_with((1, 1, 1)))
    contents = [(tmp_path / folder / f"{plain.case}.nii.gz").read_bytes() for folder in "ab"]
    assert contents[0] == contents[1]
    assert plain.volumes == same.volumes


def test_probabilities_of_a_resampled_patient_are_on_its_grid_and_agree_with_the_mask(segmented):
    folder, patients = segmented
    for patient in patients:
        probabilities = probabilities_of(folder, patient.case)
        mask = np.asarray(mask_of(folder, patient.case).dataobj)
        assert probabilities.shape == (4, *mask.shape)
        np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=3e-4)
        assert np.mean(probabilities.argmax(axis=0) == mask) > 0.999  # probabilities are rounded


def test_post_processing_sees_the_voxels_of_the_patient(tmp_path):
    write_patient(tmp_path / "data", "fine")
    segmenter = tiny_segmenter(min_enhancing_mm3=10**6)
    (patient,) = segment(tmp_path / "data", tmp_path / "out", segmenter, card_with((2, 2, 2)))
    assert patient.changed["enhancing_made_core"] > 8
    assert patient.volumes["ET"] == 0


def test_a_header_with_huge_voxels_is_a_problem_of_that_patient_only(tmp_path, segmenter):
    for case, edge in {"huge": 900, "usual": 1}.items():
        write_patient(tmp_path / "data", case)
        for role in SUFFIXES:
            if role != "seg":
                path = path_of(tmp_path / "data", role, case)
                voxels = nibabel.load(path).get_fdata(dtype=np.float32)
                nibabel.save(nibabel.Nifti1Image(voxels, AFFINE @ np.diag([edge, edge, edge, 1])), path)
    huge, usual = segment(tmp_path / "data", tmp_path / "out", segmenter, card_with((2, 2, 2)))
    assert huge.problems == "too_large_after_resampling"
    assert "correct the voxel size" in huge.detail
    assert usual.segmented
