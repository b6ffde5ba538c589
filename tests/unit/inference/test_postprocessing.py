import numpy as np
import pytest
import yaml

from tests.support.builders import REPOSITORY, TASK
from tumorseg.configuration.renamed import recorded
from tumorseg.errors import UserError
from tumorseg.inference import postprocessing
from tumorseg.inference.postprocessing import STEPS, postprocess
from tumorseg.task import load_task

DEFAULTS = recorded(yaml.safe_load((REPOSITORY / "config.yaml").read_text()))["prediction"]
"""Nothing is done by default."""


def after(mask, voxel_mm3: float = 1.0, task=TASK, **changes):
    nothing = DEFAULTS | {"remove_components": dict.fromkeys(task.region_labels, 0)}
    return postprocess(mask, voxel_mm3, {**nothing, **changes}, task)


def removing(**smallest: float):
    return {"remove_components": {"WT": 0, "TC": 0, "ET": 0, **smallest}}


def tumour() -> np.ndarray:
    """Oedema of 4x4x4 around core of 2x2x2 with one enhancing voxel, and a stray oedema of two voxels far off."""
    mask = np.zeros((12, 12, 12), np.uint8)
    mask[1:5, 1:5, 1:5] = 2
    mask[2:4, 2:4, 2:4] = 1
    mask[2, 2, 2] = 4
    mask[9, 9, 9:11] = 2
    return mask


def test_nothing_is_done_unless_asked():
    mask, changed = after(tumour())
    np.testing.assert_array_equal(mask, tumour())
    assert set(changed.values()) == {0}


def test_the_mask_that_is_given_stays_as_it_is():
    mask = tumour()
    after(mask, **removing(WT=1000))
    np.testing.assert_array_equal(mask, tumour())


@pytest.mark.parametrize(("smallest", "voxel_mm3", "removed"), [(2, 1, 0), (3, 1, 2), (3, 2, 0), (5, 2, 2)])
def test_pieces_below_a_volume_are_removed(smallest, voxel_mm3, removed):
    mask, changed = after(tumour(), voxel_mm3, **removing(WT=smallest))
    assert changed["removed_from_WT"] == removed
    assert (mask[9, 9, 9:11] == (0 if removed else 2)).all()
    assert np.count_nonzero(mask[:6]) == 64


def test_a_small_piece_of_core_becomes_oedema():
    mask, changed = after(tumour(), **removing(TC=9))
    assert changed["removed_from_TC"] == 8
    assert (mask[2:4, 2:4, 2:4] == 2).all()


def test_a_small_piece_of_enhancing_tumour_becomes_core():
    mask, changed = after(tumour(), **removing(ET=2))
    assert changed["removed_from_ET"] == 1
    assert mask[2, 2, 2] == 1


def test_pieces_that_touch_at_a_corner_are_one():
    mask = np.zeros((6, 6, 6), np.uint8)
    mask[1, 1, 1] = mask[2, 2, 2] = 2
    assert after(mask, **removing(WT=2))[1]["removed_from_WT"] == 0


@pytest.mark.parametrize(("smallest", "label"), [(1, 4), (1.5, 1)])
def test_too_little_enhancing_tumour_becomes_core(smallest, label):
    mask, changed = after(tumour(), smallest_enhancing=smallest)
    assert mask[2, 2, 2] == label
    assert changed["enhancing_made_core"] == (label == 1)


def test_holes_are_filled_with_what_encloses_them():
    mask = np.zeros((12, 12, 12), np.uint8)
    mask[1:4, 1:4, 1:4] = 4
    mask[2, 2, 2] = 0
    mask[6:11, 6:11, 6:11] = 2
    mask[8, 8, 8] = 0
    mask[6, 6, 6] = 0  # open to the outside
    filled, changed = after(mask, fill_holes=True)
    assert (filled[2, 2, 2], filled[8, 8, 8], filled[6, 6, 6]) == (1, 2, 0)
    assert changed["filled"] == 2


def test_regions_and_what_takes_their_place_are_those_of_the_task():
    """Paediatric tumours: 1 is enhancing, 2 non-enhancing, 3 a cyst, 4 oedema."""
    task = load_task("brats-paediatric")
    mask = np.zeros((12, 12, 12), np.uint8)
    mask[1:5, 1:5, 1:5] = 4
    mask[2:4, 2:4, 2:4] = 3
    mask[2, 2, 2] = 1
    sizes = dict.fromkeys(task.region_labels, 0)
    assert after(mask, task=task, remove_components=sizes | {"ET": 2})[0][2, 2, 2] == 2
    assert after(mask, task=task, smallest_enhancing=2)[0][2, 2, 2] == 2
    assert (after(mask, task=task, remove_components=sizes | {"TC": 9})[0][2:4, 2:4, 2:4] == 4).all()


def test_a_cavity_is_a_region_of_its_own():
    task = load_task("brats-glioma-post-treatment")
    mask = np.zeros((8, 8, 8), np.uint8)
    mask[1, 1, 1] = task.label_of("cavity")
    mask[1, 1, 2] = task.label_of("enhancing")
    sizes = dict.fromkeys(task.region_labels, 0)
    found, changed = after(mask, task=task, remove_components=sizes | {"RC": 2})
    assert (found[1, 1, 1], found[1, 1, 2]) == (0, task.label_of("enhancing"))
    assert changed["removed_from_RC"] == 1


def test_a_task_without_enhancing_tumour_has_no_smallest_one():
    task = load_task("brats-meningioma-radiotherapy")
    assert set(after(np.ones((4, 4, 4), np.uint8), task=task)[1].values()) == {0}
    with pytest.raises(UserError, match="min_enhancing_mm3: the task brats-meningioma-radiotherapy has no enhancing"):
        after(np.ones((4, 4, 4), np.uint8), task=task, smallest_enhancing=5)


def test_each_step_has_a_key_of_the_configuration_and_runs_where_it_stands(monkeypatch):
    assert {one.name for one in STEPS} <= DEFAULTS.keys()
    monkeypatch.setattr(postprocessing, "STEPS", list(STEPS))

    @postprocessing.register_step("fewest_voxels")
    def _(mask, _voxel_mm3, fewest, _task):
        removed = int(np.count_nonzero(mask)) * bool(np.count_nonzero(mask) < fewest)
        mask[:] = 0 if removed else mask
        return {"removed": removed}

    mask, changed = after(tumour(), fewest_voxels=67)
    assert (mask.any(), changed["removed"]) == (False, 66)
