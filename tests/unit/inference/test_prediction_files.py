from dataclasses import replace

import nibabel
import numpy as np
import pytest

from tests.support.builders import TASK
from tumorseg.errors import UserError
from tumorseg.inference.prediction_files import (
    read_recorded_prediction,
    write_prediction,
    write_probabilities,
)
from tumorseg.inference.records import RecordedMask
from tumorseg.io.digests import file_digest
from tumorseg.io.volume import read_volume
from tumorseg.preprocessing.store import Origin
from tumorseg.task import load_task
from tumorseg.task.conventions import label_values_on_disk

WRITTEN = TASK.values_by_label("brats2023")
AFFINE = ((-2.0, 0.0, 0.0, 30.0), (0.0, -2.0, 0.0, 20.0), (0.0, 0.0, 2.0, -10.0), (0.0, 0.0, 0.0, 1.0))


def origin(convention="brats2023"):
    return Origin("case-1", (6, 7, 8), AFFINE, ((1, 4), (2, 6), (3, 8)), convention, {}, {})


@pytest.mark.parametrize(
    ("case_convention", "cohort_convention", "written"),
    [
        ("brats2023", "brats2021", 3),
        ("brats2021", "brats2023", 4),
        (None, "brats2021", 4),
        (None, "mixed", 3),
        (None, None, 3),
    ],
)
def test_enhancing_tumour_is_written_in_the_convention_of_the_input(
    tmp_path, case_convention, cohort_convention, written
):
    mask = np.zeros((3, 4, 5), np.uint8)
    mask[1, 1, 1], mask[2, 2, 2] = 4, 2
    write_prediction(
        tmp_path, mask, origin(case_convention), label_values_on_disk(TASK, case_convention, cohort_convention)
    )
    image = nibabel.load(tmp_path / "case-1.nii.gz")
    voxels = np.asarray(image.dataobj)
    assert (voxels.dtype, voxels.shape, set(np.unique(voxels))) == (np.uint8, (6, 7, 8), {0, 2, written})
    assert voxels[2, 3, 4] == written
    np.testing.assert_array_equal(image.affine, AFFINE)


def recorded_mask(folder, written=WRITTEN):
    path = folder / "case-1.nii.gz"
    return RecordedMask(path, 0, file_digest(path), written)


def test_a_prediction_is_read_back_as_canonical_labels(tmp_path):
    mask = np.random.default_rng(0).choice(np.array([0, 1, 2, 4], np.uint8), size=(3, 4, 5))
    write_prediction(tmp_path, mask, origin(), WRITTEN)
    whole = read_recorded_prediction(recorded_mask(tmp_path), (6, 7, 8), AFFINE)
    np.testing.assert_array_equal(whole[1:4, 2:6, 3:8], mask)
    assert np.count_nonzero(whole) == np.count_nonzero(mask)


@pytest.mark.parametrize("codes", [(1, 2), (0, 0)])
def test_a_prediction_keeps_the_qform_and_sform_of_its_image(tmp_path, codes):
    image = nibabel.Nifti1Image(np.zeros((6, 7, 8), np.int16), None)
    image.set_qform(np.diag([-2.0, -2, 2, 1]), codes[0])
    image.set_sform(AFFINE, codes[1])
    nibabel.save(image, tmp_path / "image.nii.gz")
    volume = read_volume(tmp_path / "image.nii.gz")
    assert volume.forms is not None
    affine = tuple(map(tuple, volume.affine.tolist()))
    mask = np.random.default_rng(0).choice(np.array([0, 1, 2, 4], np.uint8), size=(3, 4, 5))
    write_prediction(tmp_path, mask, replace(origin(), affine=affine, forms=volume.forms), WRITTEN)
    whole = read_recorded_prediction(recorded_mask(tmp_path), (6, 7, 8), volume.affine)
    assert np.count_nonzero(whole) == np.count_nonzero(mask)
    written = read_volume(tmp_path / "case-1.nii.gz")
    assert (written.forms, written.orientation_warning) == (volume.forms, volume.orientation_warning)


@pytest.mark.parametrize(
    ("label_map", "expected"),
    [
        ({1: 2, 2: 1, 3: 4}, {1: 2, 2: 1, 4: 3}),
        ({9: 4, 8: 2, 7: 1}, {1: 7, 2: 8, 4: 9}),
        ({1: 4, 2: 4}, {1: 1, 2: 2, 4: 4}),
    ],
)
def test_a_prediction_is_written_and_read_with_a_label_map(tmp_path, label_map, expected):
    """A map that gives two values the same label cannot be inverted, so labels are written as they are."""
    mask = np.random.default_rng(0).choice(np.array([0, 1, 2, 4], np.uint8), size=(3, 4, 5))
    written = label_values_on_disk(TASK.with_label_map(label_map), "label_map", "label_map")
    assert written == {0: 0, **expected}
    write_prediction(tmp_path, mask, origin(), written)
    whole = read_recorded_prediction(recorded_mask(tmp_path, written), (6, 7, 8), AFFINE)
    np.testing.assert_array_equal(whole[1:4, 2:6, 3:8], mask)


def test_a_prediction_with_an_unknown_value_is_refused(tmp_path):
    write_prediction(tmp_path, np.full((3, 4, 5), 2, np.uint8), origin(), {0: 0, 2: 7})
    with pytest.raises(UserError, match=r"case-1\.nii\.gz: the value 7 is not a label"):
        read_recorded_prediction(recorded_mask(tmp_path), (6, 7, 8), AFFINE)


@pytest.mark.parametrize("name", ["brats-glioma", "brats-paediatric", "brats-meningioma-radiotherapy"])
def test_probabilities_are_those_of_background_and_labels(tmp_path, name):
    task = load_task(name)
    labels = (0, *task.label_values)
    probabilities = np.arange(task.classes, dtype=np.float32)[:, None, None, None] * np.full((3, 4, 5), 0.1, np.float32)
    write_probabilities(tmp_path, probabilities, origin(), task.label_values)
    written = np.asarray(nibabel.load(tmp_path / "case-1-probabilities.nii.gz").dataobj)
    np.testing.assert_allclose(written[2, 3, 4], 0.1 * np.array(labels), atol=1e-6)
    np.testing.assert_array_equal(written[0, 0, 0], [1] + [0] * len(task.labels))


def test_equal_predictions_have_equal_bytes(tmp_path):
    for folder in ("a", "b"):
        write_prediction(tmp_path / folder, np.ones((3, 4, 5), np.uint8), origin(), WRITTEN)
    assert (tmp_path / "a/case-1.nii.gz").read_bytes() == (tmp_path / "b/case-1.nii.gz").read_bytes()


def test_a_corrupted_prediction_is_refused(tmp_path):
    write_prediction(tmp_path, np.ones((3, 4, 5), np.uint8), origin(), WRITTEN)
    mask = recorded_mask(tmp_path)
    mask.path.write_bytes(mask.path.read_bytes()[:-9])
    with pytest.raises(UserError, match=r"case-1\.nii\.gz: this prediction is corrupted"):
        read_recorded_prediction(mask, (6, 7, 8), AFFINE)


def test_a_prediction_on_another_grid_is_refused(tmp_path):
    write_prediction(tmp_path, np.ones((3, 4, 5), np.uint8), origin(), WRITTEN)
    with pytest.raises(UserError, match="not on the grid of its case"):
        read_recorded_prediction(recorded_mask(tmp_path), (6, 7, 9), AFFINE)
