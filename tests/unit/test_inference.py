from dataclasses import replace

import nibabel
import numpy as np
import pytest
import torch

from tumorseg.cohort.volume import read_volume
from tumorseg.digests import file_digest
from tumorseg.errors import UserError
from tumorseg.inference.prediction import read_prediction, write_prediction
from tumorseg.inference.recorded import RecordedMask
from tumorseg.inference.whole_volume import logits_of, mask_of
from tumorseg.network.execution import Execution
from tumorseg.network.unet import Architecture, build
from tumorseg.normalise.store import Origin

CPU = Execution(torch.device("cpu"), torch.float32)
TINY = Architecture(base_channels=2)
AFFINE = ((-2.0, 0.0, 0.0, 30.0), (0.0, -2.0, 0.0, 20.0), (0.0, 0.0, 2.0, -10.0), (0.0, 0.0, 0.0, 1.0))


def origin(convention="brats2023"):
    return Origin("case-1", (6, 7, 8), AFFINE, ((1, 4), (2, 6), (3, 8)), convention, {}, {})


def test_a_volume_of_any_size_gives_logits_of_that_size():
    image = np.zeros((4, 9, 17, 20), np.float16)
    assert logits_of(build(TINY), image, CPU).shape == (5, 9, 17, 20)


def test_padding_does_not_move_the_volume():
    torch.manual_seed(0)
    network = build(TINY).eval()
    image = np.random.default_rng(0).normal(size=(4, 16, 16, 16)).astype(np.float16)
    expected = network(torch.from_numpy(image)[None].float())[0]
    assert torch.allclose(logits_of(network, image, CPU), expected, atol=1e-5)


def test_the_class_that_no_voxel_has_is_never_predicted():
    logits = torch.zeros(5, 2, 2, 2)
    logits[3] = 9
    logits[4] = 1
    assert (mask_of(logits) == 4).all()


@pytest.mark.parametrize(
    ("of_case", "of_cohort", "written"),
    [
        ("brats2023", "brats2021", 3),
        ("brats2021", "brats2023", 4),
        (None, "brats2021", 4),
        (None, "mixed", 3),
        (None, None, 3),
    ],
)
def test_enhancing_tumour_is_written_as_the_input_writes_it(tmp_path, of_case, of_cohort, written):
    mask = np.zeros((3, 4, 5), np.uint8)
    mask[1, 1, 1], mask[2, 2, 2] = 4, 2
    write_prediction(tmp_path, mask, origin(of_case), of_cohort)
    image = nibabel.load(tmp_path / "case-1.nii.gz")
    voxels = np.asarray(image.dataobj)
    assert (voxels.dtype, voxels.shape, set(np.unique(voxels))) == (np.uint8, (6, 7, 8), {0, 2, written})
    assert voxels[2, 3, 4] == written
    np.testing.assert_array_equal(image.affine, AFFINE)


def recorded(folder):
    path = folder / "case-1.nii.gz"
    return RecordedMask(path, 0, file_digest(path))


def test_a_prediction_is_read_back_in_inside_labels(tmp_path):
    mask = np.random.default_rng(0).choice(np.array([0, 1, 2, 4], np.uint8), size=(3, 4, 5))
    write_prediction(tmp_path, mask, origin(), None)
    whole = read_prediction(recorded(tmp_path), (6, 7, 8), AFFINE)
    np.testing.assert_array_equal(whole[1:4, 2:6, 3:8], mask)
    assert np.count_nonzero(whole) == np.count_nonzero(mask)


@pytest.mark.parametrize("codes", [(1, 2), (0, 0)])
def test_a_prediction_with_the_forms_of_its_image_is_read_back_on_the_grid_of_its_case(tmp_path, codes):
    image = nibabel.Nifti1Image(np.zeros((6, 7, 8), np.int16), None)
    image.set_qform(np.diag([-2.0, -2, 2, 1]), codes[0])
    image.set_sform(AFFINE, codes[1])
    nibabel.save(image, tmp_path / "image.nii.gz")
    volume = read_volume(tmp_path / "image.nii.gz")
    assert volume.forms is not None
    affine = tuple(map(tuple, volume.affine.tolist()))
    mask = np.random.default_rng(0).choice(np.array([0, 1, 2, 4], np.uint8), size=(3, 4, 5))
    write_prediction(tmp_path, mask, replace(origin(), affine=affine, forms=volume.forms), None)
    whole = read_prediction(recorded(tmp_path), (6, 7, 8), volume.affine)
    assert np.count_nonzero(whole) == np.count_nonzero(mask)
    written = read_volume(tmp_path / "case-1.nii.gz")
    assert (written.forms, written.orientation_note) == (volume.forms, volume.orientation_note)


def test_equal_predictions_are_equal_bytes(tmp_path):
    for folder in ("a", "b"):
        write_prediction(tmp_path / folder, np.ones((3, 4, 5), np.uint8), origin(), None)
    assert (tmp_path / "a/case-1.nii.gz").read_bytes() == (tmp_path / "b/case-1.nii.gz").read_bytes()


def test_a_damaged_prediction_is_named(tmp_path):
    write_prediction(tmp_path, np.ones((3, 4, 5), np.uint8), origin(), None)
    mask = recorded(tmp_path)
    mask.path.write_bytes(mask.path.read_bytes()[:-9])
    with pytest.raises(UserError, match=r"case-1\.nii\.gz: this prediction is damaged"):
        read_prediction(mask, (6, 7, 8), AFFINE)


def test_a_prediction_on_another_grid_is_refused(tmp_path):
    write_prediction(tmp_path, np.ones((3, 4, 5), np.uint8), origin(), None)
    with pytest.raises(UserError, match="not on the grid of its case"):
        read_prediction(recorded(tmp_path), (6, 7, 9), AFFINE)
