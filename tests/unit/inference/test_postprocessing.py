import numpy as np
import pytest
import yaml

from tests.support.builders import REPOSITORY, TASK
from tumorseg.errors import UserError
from tumorseg.inference import postprocessing
from tumorseg.inference.postprocessing import STEPS, postprocess
from tumorseg.task import load_task

DEFAULTS = yaml.safe_load((REPOSITORY / "config.yaml").read_text())["prediction"]
"""The default settings change nothing."""


def apply(mask, voxel_mm3: float = 1.0, task=TASK, **changes):
    disabled = DEFAULTS | {"remove_components": dict.fromkeys(task.region_labels, 0)}
    return postprocess(mask, voxel_mm3, {**disabled, **changes}, task)


def min_volumes(**smallest: float):
    return {"remove_components": {"WT": 0, "TC": 0, "ET": 0, **smallest}}


def tumour() -> np.ndarray:
    """Return oedema of 4x4x4 around core of 2x2x2 with one enhancing voxel, and two distant voxels of oedema."""
    mask = np.zeros((12, 12, 12), np.uint8)
    mask[1:5, 1:5, 1:5] = 2
    mask[2:4, 2:4, 2:4] = 1
    mask[2, 2, 2] = 4
    mask[9, 9, 9:11] = 2
    return mask


def test_the_default_settings_change_nothing():
    mask, changed = apply(tumour())
    np.testing.assert_array_equal(mask, tumour())
    assert set(changed.values()) == {0}


def test_the_input_mask_is_not_modified():
    mask = tumour()
    apply(mask, **min_volumes(WT=1000))
    np.testing.assert_array_equal(mask, tumour())


@pytest.mark.parametrize(("smallest", "voxel_mm3", "removed"), [(2, 1, 0), (3, 1, 2), (3, 2, 0), (5, 2, 2)])
def test_components_below_a_volume_are_removed(smallest, voxel_mm3, removed):
    mask, changed = apply(tumour(), voxel_mm3, **min_volumes(WT=smallest))
    assert changed["removed_from_WT"] == removed
    assert (mask[9, 9, 9:11] == (0 if removed else 2)).all()
    assert np.count_nonzero(mask[:6]) == 64


def test_a_small_component_of_core_becomes_oedema():
    mask, changed = apply(tumour(), **min_volumes(TC=9))
    assert changed["removed_from_TC"] == 8
    assert (mask[2:4, 2:4, 2:4] == 2).all()


def test_a_small_component_of_enhancing_tumour_becomes_core():
    mask, changed = apply(tumour(), **min_volumes(ET=2))
    assert changed["removed_from_ET"] == 1
    assert mask[2, 2, 2] == 1


def test_voxels_that_share_a_corner_are_one_component():
    mask = np.zeros((6, 6, 6), np.uint8)
    mask[1, 1, 1] = mask[2, 2, 2] = 2
    assert apply(mask, **min_volumes(WT=2))[1]["removed_from_WT"] == 0


@pytest.mark.parametrize(("smallest", "label"), [(1, 4), (1.5, 1)])
def test_too_little_enhancing_tumour_becomes_core(smallest, label):
    mask, changed = apply(tumour(), min_enhancing_mm3=smallest)
    assert mask[2, 2, 2] == label
    assert changed["enhancing_made_core"] == (label == 1)


def test_holes_are_filled_with_the_label_of_their_region():
    mask = np.zeros((12, 12, 12), np.uint8)
    mask[1:4, 1:4, 1:4] = 4
    mask[2, 2, 2] = 0
    mask[6:11, 6:11, 6:11] = 2
    mask[8, 8, 8] = 0
    mask[6, 6, 6] = 0  # open to the outside
    filled, changed = apply(mask, fill_holes=True)
    assert (filled[2, 2, 2], filled[8, 8, 8], filled[6, 6, 6]) == (1, 2, 0)
    assert changed["filled"] == 2


def test_regions_and_replacing_labels_follow_the_task():
    """Paediatric tumours: 1 is enhancing, 2 non-enhancing, 3 a cyst, 4 oedema."""
    task = load_task("brats-paediatric")
    mask = np.zeros((12, 12, 12), np.uint8)
    mask[1:5, 1:5, 1:5] = 4
    mask[2:4, 2:4, 2:4] = 3
    mask[2, 2, 2] = 1
    sizes = dict.fromkeys(task.region_labels, 0)
    assert apply(mask, task=task, remove_components=sizes | {"ET": 2})[0][2, 2, 2] == 2
    assert apply(mask, task=task, min_enhancing_mm3=2)[0][2, 2, 2] == 2
    assert (apply(mask, task=task, remove_components=sizes | {"TC": 9})[0][2:4, 2:4, 2:4] == 4).all()


def test_a_cavity_is_its_own_region():
    task = load_task("brats-glioma-post-treatment")
    mask = np.zeros((8, 8, 8), np.uint8)
    mask[1, 1, 1] = task.label_of("cavity")
    mask[1, 1, 2] = task.label_of("enhancing")
    sizes = dict.fromkeys(task.region_labels, 0)
    result, changed = apply(mask, task=task, remove_components=sizes | {"RC": 2})
    assert (result[1, 1, 1], result[1, 1, 2]) == (0, task.label_of("enhancing"))
    assert changed["removed_from_RC"] == 1


def test_a_minimum_of_enhancing_tumour_is_refused_for_a_task_without_it():
    task = load_task("brats-meningioma-radiotherapy")
    assert set(apply(np.ones((4, 4, 4), np.uint8), task=task)[1].values()) == {0}
    with pytest.raises(UserError, match="min_enhancing_mm3: the task brats-meningioma-radiotherapy has no enhancing"):
        apply(np.ones((4, 4, 4), np.uint8), task=task, min_enhancing_mm3=5)


def test_each_step_has_a_key_and_runs_in_the_order_of_registration(monkeypatch):
    assert {step.name for step in STEPS} <= DEFAULTS.keys()
    monkeypatch.setattr(postprocessing, "STEPS", list(STEPS))

    @postprocessing.register_step("fewest_voxels")
    def _(mask, _voxel_mm3, fewest, _task):
        removed = int(np.count_nonzero(mask)) * bool(np.count_nonzero(mask) < fewest)
        mask[:] = 0 if removed else mask
        return {"removed": removed}

    mask, changed = apply(tumour(), fewest_voxels=67)
    assert (mask.any(), changed["removed"]) == (False, 66)
