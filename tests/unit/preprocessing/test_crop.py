"""Cropped and relabelled masks are restored: same grid, same place in space, same labels."""

import nibabel
import numpy as np
import pytest

from tests.support.case_files import CASE, SUFFIXES, TASK, check_case, image, mask, path_of, real_data, validated
from tumorseg.cohort.discovery import discover_cases
from tumorseg.inference.prediction_files import write_prediction
from tumorseg.preprocessing.normalisation import normalise_validated_case
from tumorseg.task.conventions import label_values_on_disk

SETTINGS = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 4}
RAS = np.array([[1.0, 0, 0, -90], [0, 1, 0, -126], [0, 0, 1, -72], [0, 0, 0, 1]])
TURN = nibabel.affines.from_matvec(nibabel.eulerangles.euler2mat(0.3, -0.2, 0.4), [5, 6, 7])


def predict_perfectly(folder, root, found, settings=SETTINGS):
    """Return the mask of a case as a perfect network would predict it, read from the prediction file."""
    case = normalise_validated_case(root, found, settings, task=TASK)
    write_prediction(folder, case.mask, case.origin, label_values_on_disk(TASK, case.origin.convention, None))
    return nibabel.load(folder / f"{found.case}.nii.gz")


def assert_same(predicted, original):
    np.testing.assert_array_equal(np.asarray(predicted.dataobj), np.asarray(original.dataobj))
    np.testing.assert_array_equal(predicted.affine, original.affine)
    assert predicted.get_data_dtype() == np.uint8


@pytest.mark.parametrize("codes", ["RAS", "LPS", "LAS", "PIR", "SAL", "IRP", "ASR"])
@pytest.mark.parametrize("oblique", [False, True])
def test_a_mask_is_restored_exactly_in_every_orientation(tmp_path, codes, oblique):
    affine = (TURN @ RAS if oblique else RAS).astype(np.float32)
    turn = nibabel.orientations.ornt_transform(
        nibabel.orientations.io_orientation(affine), nibabel.orientations.axcodes2ornt(codes)
    )
    for role in SUFFIXES:
        made = nibabel.Nifti1Image(mask() if role == "seg" else image(role), affine).as_reoriented(turn)
        made.set_sform(made.affine, code=1)
        path = path_of(tmp_path / "cohort", role)
        path.parent.mkdir(parents=True, exist_ok=True)
        made.to_filename(path)
    root = tmp_path / "cohort"
    predicted = predict_perfectly(tmp_path, root, validated(root), SETTINGS | {"margin_voxels": 1})
    assert_same(predicted, nibabel.load(path_of(root, "seg")))
    assert nibabel.aff2axcodes(predicted.affine) == tuple(codes)


@pytest.mark.parametrize("number", range(8))
def test_the_mask_of_a_real_case_is_restored_exactly(tmp_path, number):
    root = real_data()
    files = discover_cases(root, TASK)[number]
    predicted = predict_perfectly(tmp_path, root, check_case(root, files, shape=None, labels="auto"))
    assert_same(predicted, nibabel.load(root / files.files["seg"][0]))


def test_a_tumour_at_the_edge_of_the_grid_is_restored(tmp_path):
    root = tmp_path / "cohort"
    for role in SUFFIXES:
        volume = mask() if role == "seg" else image(role)
        volume[0, 0, 0] = volume[-1, -1, -1] = 2
        path = path_of(root, role)
        path.parent.mkdir(parents=True, exist_ok=True)
        nibabel.Nifti1Image(volume, RAS).to_filename(path)
    found = validated(root)
    assert found.case == CASE
    assert_same(predict_perfectly(tmp_path, root, found), nibabel.load(path_of(root, "seg")))
