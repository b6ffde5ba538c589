from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import hypothesis_settings, structure_mask
from tests.support.random_masks import embed_in_grid, labelled_pair, seeds, spacings
from tumorseg.evaluation.masks import MaskReadOptions, read_reference
from tumorseg.metrics.lesions import lesion_scores
from tumorseg.metrics.overlap import confusion
from tumorseg.metrics.registry import columns, definitions
from tumorseg.metrics.structure_scores import case_scores, missing_scores, score_rows
from tumorseg.task import load_task

TASK = load_task()
MILLIMETRE = (1.0, 1.0, 1.0)
SHARES = ("dice", "iou", "f1", "precision", "sensitivity", "specificity", "surface_dice", "lesionwise_dice")
DISTANCES = ("hd95", "hd95_border", "lesionwise_hd95")
SYMMETRIC = ("dice", "iou", "f1", "surface_dice", "hd95", "hd95_border")


def scores(reference, prediction, spacing_mm=MILLIMETRE, tolerance_mm=1):
    return case_scores(reference, prediction, spacing_mm, task=TASK, surface_tolerance_mm=tolerance_mm)[0]


def filled(*labels: int):
    mask = np.zeros((20, 10, 10), np.uint8)
    for number, label in enumerate(labels):
        mask[2 + 4 * number : 6 + 4 * number, 2:6, 2:6] = label
    return mask


def assert_same_scores(found, expected):
    for structure in TASK.structures:
        assert found[structure] == pytest.approx(expected[structure], rel=1e-9)


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings)
def test_every_score_is_in_its_range(seed, spacing_mm):
    found = scores(*labelled_pair(seed), spacing_mm)
    assert list(found) == list(TASK.structures)
    for by_column in found.values():
        assert set(by_column) == set(columns())
        assert np.isfinite(list(by_column.values())).all()
        assert all(0 <= by_column[score] <= 1 for score in SHARES)
        assert all(by_column[score] >= 0 for score in DISTANCES)


def test_scores_are_plain_numbers():
    for by_column in scores(filled(1, 2, 4), filled(1, 2, 2)).values():
        assert {type(value) for value in by_column.values()} <= {int, float}


@hypothesis_settings(50)
@given(seed=seeds)
def test_iou_and_f1_follow_from_dice(seed):
    for found in scores(*labelled_pair(seed)).values():
        assert found["iou"] == pytest.approx(found["dice"] / (2 - found["dice"]))
        assert found["f1"] == pytest.approx(found["dice"])


@hypothesis_settings(50)
@given(seed=seeds, spacing_mm=spacings)
def test_reference_and_prediction_can_be_swapped(seed, spacing_mm):
    reference, prediction = labelled_pair(seed)
    found, swapped = scores(reference, prediction, spacing_mm), scores(prediction, reference, spacing_mm)
    for structure in TASK.structures:
        for score in SYMMETRIC:
            assert found[structure][score] == pytest.approx(swapped[structure][score], rel=1e-12)
        assert found[structure]["precision"] == swapped[structure]["sensitivity"]
        assert found[structure]["volume_error_mm3"] == -swapped[structure]["volume_error_mm3"]


@hypothesis_settings(30)
@given(seed=seeds, spacing_mm=spacings, axis=st.integers(0, 2))
def test_a_flip_changes_nothing(seed, spacing_mm, axis):
    masks = labelled_pair(seed)
    assert_same_scores(scores(*[np.flip(mask, axis) for mask in masks], spacing_mm), scores(*masks, spacing_mm))


@hypothesis_settings(30)
@given(seed=seeds, offset=st.tuples(*[st.integers(0, 24)] * 3))
def test_a_shift_in_a_volume_changes_nothing(seed, offset):
    masks = labelled_pair(seed)
    shifted, unshifted = ([embed_in_grid(mask, position) for mask in masks] for position in (offset, (0, 0, 0)))
    assert_same_scores(scores(*shifted), scores(*unshifted))


@hypothesis_settings(30)
@given(seed=seeds)
def test_another_false_component_never_improves_an_overlap(seed):
    reference, prediction = (embed_in_grid(mask, (0, 0, 0)) for mask in labelled_pair(seed))
    worse = prediction.copy()
    worse[36:39, 36:39, 36:39] = 4
    before, after = scores(reference, prediction), scores(reference, worse)
    for structure in TASK.structures:
        for score in ("dice", "iou", "f1", "precision", "specificity", "lesionwise_dice"):
            assert after[structure][score] <= before[structure][score]
        assert after[structure]["lesionwise_hd95"] >= before[structure]["lesionwise_hd95"]


@pytest.mark.parametrize("seed", range(10))
def test_lesions_equal_those_of_each_structure(seed):
    reference, prediction = labelled_pair(seed)
    for structure, found in scores(reference, prediction).items():
        masks = [structure_mask(mask, structure) for mask in (reference, prediction)]
        lesions = lesion_scores(*masks, MILLIMETRE)
        assert (found["lesionwise_dice"], found["lesionwise_hd95"]) == (lesions.dice, lesions.hd95_mm)
        assert [found[f"lesions_{kind}"] for kind in ("found", "missed", "false")] == [
            lesions.found,
            lesions.missed,
            lesions.false,
        ]


@pytest.mark.parametrize(
    ("reference", "prediction", "surface_dice", "distance"),
    [(filled(), filled(), 1, 0), (filled(4), filled(), 0, 374), (filled(), filled(4), 0, 374)],
)
def test_empty_masks_have_scores(reference, prediction, surface_dice, distance):
    found = scores(reference, prediction)["ET"]
    assert found["surface_dice"] == found["dice"] == found["lesionwise_dice"] == surface_dice
    assert found["hd95"] == found["hd95_border"] == found["lesionwise_hd95"] == distance


def test_regions_are_made_of_labels_by_name():
    found = scores(filled(1, 2, 4), filled(4, 2, 4))
    dice = {structure: found[structure]["dice"] for structure in TASK.structures}
    assert dice == pytest.approx({"WT": 1, "TC": 1, "ET": 2 / 3, "label_1": 0, "label_2": 1, "label_4": 2 / 3})


@hypothesis_settings(20)
@given(seed=seeds)
def test_swapped_labels_swap_their_scores(seed):
    masks = labelled_pair(seed)
    swap = np.array([0, 4, 2, 3, 1], np.uint8)
    found, swapped = scores(*masks), scores(*[swap[mask] for mask in masks])
    partners = {"WT": "WT", "TC": "TC", "label_1": "label_4", "label_2": "label_2", "label_4": "label_1"}
    assert all(swapped[partner] == found[structure] for structure, partner in partners.items())
    assert found["ET"] == found["label_4"]


def test_volumes_are_in_mm3():
    found = scores(filled(1, 2, 4), filled(1, 1), (2.0, 1.0, 0.75))["TC"]
    assert (found["reference_voxels"], found["predicted_voxels"]) == (128, 128)
    assert (found["reference_mm3"], found["predicted_mm3"], found["volume_error_mm3"]) == (192, 192, 0)
    found = scores(filled(1, 2, 4), filled(1, 1), (2.0, 1.0, 0.75))["WT"]
    assert (found["reference_mm3"], found["predicted_mm3"], found["volume_error_mm3"]) == (288, 192, -96)


def test_the_tolerance_applies_to_the_surface_dice():
    shifted = np.roll(filled(4), 2, axis=0)
    near, far = (scores(filled(4), shifted, tolerance_mm=tolerance_mm)["ET"] for tolerance_mm in (2, 1))
    assert near["surface_dice"] == 1 > far["surface_dice"]


@pytest.mark.parametrize("reference", [filled(1, 2, 4), filled(2), filled()])
def test_a_missing_prediction_gets_the_worst_scores_even_if_the_reference_is_empty(reference):
    for found in missing_scores(reference, MILLIMETRE, task=TASK)[0].values():
        assert {score: found[score] for score in SHARES} == dict.fromkeys(SHARES, 0)
        assert {score: found[score] for score in DISTANCES} == dict.fromkeys(DISTANCES, 374)
        assert set(found) == set(columns())


def test_a_missing_prediction_misses_every_lesion_and_its_volume():
    found, table = missing_scores(filled(1, 2, 4), (2.0, 1.0, 1.0), task=TASK)
    assert (found["WT"]["lesions_found"], found["WT"]["lesions_missed"], found["WT"]["lesions_false"]) == (0, 1, 0)
    assert (found["WT"]["volume_error_mm3"], found["WT"]["predicted_voxels"]) == (-384, 0)
    np.testing.assert_array_equal(table, confusion(filled(1, 2, 4), filled(), TASK.classes))


def test_masks_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="different shapes"):
        scores(filled(), filled()[:5])


@pytest.mark.parametrize("masks", [(filled(3), filled(4)), (filled(4), filled(3))])
def test_a_value_that_is_not_a_label_of_the_task_is_refused(masks):
    with pytest.raises(ValueError, match="the value 3, which is not a label of the task brats-glioma"):
        scores(*masks)


def test_there_is_one_row_for_each_structure():
    found = scores(filled(1, 2, 4), filled(1, 2, 2))
    table = score_rows("a-case", 3, found)
    assert [row["region"] for row in table] == list(TASK.structures)
    for row in table:
        assert list(row) == ["case", "fold", "region", *columns()]
        assert (row["case"], row["fold"]) == ("a-case", 3)
        assert {column: row[column] for column in columns()} == found[row["region"]]


def test_every_score_is_defined_and_precedes_the_counts():
    assert columns()[: len(definitions())] == tuple(definitions())
    assert set(SHARES) | set(DISTANCES) | {"volume_error_mm3"} <= set(definitions())
    assert all(definitions().values())


def rotated(path: Path, mask: np.ndarray) -> Path:
    """Write a mask with oblique axes and voxels of 1 mm, as float32 headers store them."""
    turn = nibabel.eulerangles.euler2mat(0.3, -0.2, 0.4)
    nibabel.save(nibabel.Nifti1Image(mask, nibabel.affines.from_matvec(turn, [3, 4, 5])), path)
    return path


@pytest.mark.parametrize(("voxels", "dice"), [(50, 1), (51, 0)])
def test_an_oblique_grid_moves_no_lesion_over_its_threshold(tmp_path, voxels, dice):
    mask = np.zeros((64, 10, 10), np.uint8)
    mask[2 : 2 + voxels, 4, 4] = 2
    read = read_reference(rotated(tmp_path / "a.nii.gz", mask), "a", MaskReadOptions(TASK))
    assert read.spacing_mm == (1, 1, 1)
    assert scores(read.labels, np.zeros_like(mask), read.spacing_mm)["WT"]["lesionwise_dice"] == dice


def test_an_oblique_grid_moves_no_surface_over_the_tolerance(tmp_path):
    reference, prediction = np.zeros((2, 16, 16, 16), np.uint8)
    reference[4:10, 4:10, 4:10] = prediction[4:11, 4:10, 4:10] = 2
    read = read_reference(rotated(tmp_path / "a.nii.gz", reference), "a", MaskReadOptions(TASK))
    assert scores(read.labels, prediction, read.spacing_mm)["WT"]["surface_dice"] == 1
