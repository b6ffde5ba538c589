"""Case 07: files whose qform and sform disagree."""

import nibabel
import numpy as np
import pytest
import SimpleITK

from tests.public_cases import generate_case
from tests.support.case_files import TASK
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_cases
from tumorseg.evaluation.masks import MaskReadOptions, read_reference
from tumorseg.inference.prediction_files import write_prediction
from tumorseg.preprocessing.crop import crop
from tumorseg.preprocessing.normalisation import normalise_validated_case
from tumorseg.task import load_task

SETTINGS = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 2}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return generate_case("07", tmp_path_factory.mktemp("07")) / "cohort"


def results(root, *, with_mask=True):
    """Return validation results by the last digit of the case."""
    found = [
        validate_case(root, files, task=TASK, shape=None, labels="auto", with_mask=with_mask)[0]
        for files in discover_cases(root, TASK)
    ]
    return {result.case[-1]: result for result in found}


def files_with_warning(result):
    return sorted(issue.file[-14:-7] for issue in result.warnings if issue.code == "orientations_disagree")


def test_validate_and_segment_warn_about_the_disagreement(root):
    with_masks = {"0": 5, "1": 5, "2": 1, "3": 0}
    assert {case: len(files_with_warning(result)) for case, result in results(root).items()} == with_masks
    without = {case: len(files_with_warning(result)) for case, result in results(root, with_mask=False).items()}
    assert without == {"0": 4, "1": 4, "2": 0, "3": 0}


def test_the_message_has_the_distance_and_the_form_that_is_used(root):
    message = next(issue.message for issue in results(root)["0"].warnings if issue.code == "orientations_disagree")
    assert "up to 64 mm apart; the sform is used" in message  # the length of (10, -20, 60)


def test_score_warns_about_the_disagreement(root):
    warned = [
        any("apart" in note for note in read_reference(path, "a", MaskReadOptions(load_task())).notes)
        for path in sorted(root.glob("*/*_seg.nii.gz"))
    ]
    assert warned == [True, True, True, False]


@pytest.mark.parametrize("digit", "0123")
def test_a_mask_lies_on_its_image_in_programs_that_read_either_form(root, tmp_path, digit):
    result = results(root)[digit]
    assert result.usable
    case = normalise_validated_case(root, result, SETTINGS, task=TASK)
    write_prediction(tmp_path, case.mask, case.origin, TASK.values_by_label("brats2023"))
    files = [root / result.facts["files"]["t1"]["path"], tmp_path / f"{result.case}.nii.gz"]
    image, mask = (nibabel.load(file) for file in files)
    np.testing.assert_array_equal(mask.get_qform(), image.get_qform())
    np.testing.assert_array_equal(mask.get_sform(), image.get_sform())
    of_image, of_mask = (SimpleITK.ReadImage(str(file)) for file in files)
    for voxel in ((0, 0, 0), (47, 55, 39), (30, 32, 20)):
        points = [read.TransformIndexToPhysicalPoint(voxel) for read in (of_image, of_mask)]
        np.testing.assert_allclose(*points, atol=1e-4)
    reference = nibabel.load(root / result.facts["files"]["seg"]["path"])
    np.testing.assert_array_equal(crop(np.asarray(mask.dataobj), case.origin) > 0, case.mask > 0)
    assert np.count_nonzero(np.asarray(reference.dataobj)) == np.count_nonzero(np.asarray(mask.dataobj))
