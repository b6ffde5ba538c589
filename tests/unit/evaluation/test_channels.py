"""Predictions with a channel for each region: which channel is which, and what is no such file."""

import numpy as np
import pytest

from tumorseg.errors import InvalidMaskError
from tumorseg.evaluation.channels import assign_regions, label_mask_hint, read_channels
from tumorseg.task import load_task

TASK = load_task()
TREATED = load_task("brats-glioma-post-treatment")
SHAPE = (6, 7, 8)
ORDERS = [("TC", "WT", "ET"), ("WT", "TC", "ET"), ("ET", "TC", "WT")]


def labels(*, enhancing=True, core=True):
    """A mask of the default task."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:5, 1:6, 1:7] = 2
    if core:
        mask[2:4, 2:5, 2:6] = 1
    if enhancing:
        mask[2, 2:5, 2:6] = 4
    return mask


def regions(mask, order, task=TASK):
    """The channels of a mask, (X, Y, Z, C)."""
    return np.stack([np.isin(mask, task.region_labels[name]) for name in order], axis=-1).astype(np.uint8)


def found(files, task=TASK):
    """The regions of the channels of some files."""
    return assign_regions([read_channels(file, SHAPE, task).statistics().overlaps for file in files], task)


def refused(file, task=TASK):
    with pytest.raises(InvalidMaskError) as refusal:
        found([file], task)
    return str(refusal.value)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("place", [0, -1])
def test_regions_are_told_by_how_they_lie_in_each_other(order, place):
    file = np.moveaxis(regions(labels(), order), -1, place)
    assert found([file]) == order
    channels = read_channels(file, SHAPE, TASK)
    np.testing.assert_array_equal(channels.to_labels(order, TASK), labels())
    assert channels.statistics().note(order, TASK) == f"read as channels of regions {', '.join(order)}"


def test_axes_of_length_one_go():
    file = regions(labels(), ORDERS[0])[:, :, :, None]
    assert found([file]) == ORDERS[0]


def test_the_order_of_a_folder_comes_from_all_its_files():
    bare = regions(labels(enhancing=False, core=False), ORDERS[0])
    no_core = regions(np.where(labels() == 2, 2, labels() // 4 * 4), ORDERS[0])
    assert found([bare, no_core, regions(labels(), ORDERS[0])]) == ORDERS[0]


def test_equal_channels_may_take_each_others_place():
    mask = np.where(labels() == 1, 4, labels())
    file = regions(mask, ORDERS[0])
    np.testing.assert_array_equal(read_channels(file, SHAPE, TASK).to_labels(found([file]), TASK), mask)


def test_a_few_voxels_out_of_place_are_the_inner_regions_and_noted():
    file = regions(labels(), ORDERS[0])
    file[0, 0, 0, 2] = 1
    assert found([file]) == ORDERS[0]
    channels = read_channels(file, SHAPE, TASK)
    assert channels.to_labels(ORDERS[0], TASK)[0, 0, 0] == 4
    assert "; in up to 2 voxels an inner region lies outside" in channels.statistics().note(ORDERS[0], TASK)


def test_probabilities_are_thresholded_and_that_is_noted():
    file = regions(labels(), ORDERS[0]) * np.float32(0.93) + np.float32(0.01)
    channels = read_channels(file, SHAPE, TASK)
    np.testing.assert_array_equal(channels.to_labels(found([file]), TASK), labels())
    assert channels.statistics().note(ORDERS[0], TASK).endswith("ET, as probabilities of at least 0.5")


def test_a_region_beside_the_others_is_found():
    mask = np.where(labels() == 4, 3, labels())
    mask[5] = 4
    order = ("RC", "TC", "WT", "ET")
    assert found([regions(mask, order, TREATED)], TREATED) == order
    channels = read_channels(regions(mask, order, TREATED), SHAPE, TREATED)
    np.testing.assert_array_equal(channels.to_labels(order, TREATED), mask)


def test_empty_predictions_are_empty_in_any_order():
    assert set(found([regions(np.zeros(SHAPE), ORDERS[0])])) == set(ORDERS[0])


def one_hot(mask, values=(0, 1, 4)):
    return np.stack([mask == value for value in values], axis=-1)


def softmax(mask):
    parts = np.exp(3 * one_hot(mask, (0, 1, 2, 4)).astype(np.float32))
    return parts / parts.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("file", [one_hot(np.where(labels() == 2, 0, labels())), softmax(labels())[..., 1:]])
def test_channels_of_labels_are_no_regions(file):
    assert "write one mask of three dimensions instead" in refused(file)


def test_probabilities_of_labels_are_known_by_their_sum():
    treated = np.where(labels() == 4, 3, labels())
    file = np.exp(3 * one_hot(treated, (0, 1, 2, 3)).astype(np.float32))
    said = refused(file / file.sum(axis=-1, keepdims=True), TREATED)
    assert "background and labels, not the regions WT, TC, ET, RC" in said
    assert said.endswith("the argmax over the channels")


def test_probabilities_of_labels_that_are_zero_beyond_the_brain_are_known_too():
    file = np.exp(3 * one_hot(labels(), (0, 1, 2, 4)).astype(np.float32))
    file /= file.sum(axis=-1, keepdims=True)
    file[:, :, :2] = 0
    assert "background and labels" in refused(file, TREATED)


@pytest.mark.parametrize(
    "mask", [np.where(labels() > 0, 1, 0), np.where(labels() == 1, 2, labels())], ids=["one label", "two labels"]
)
def test_channels_beside_each_other_show_no_order(mask):
    assert "does not show which of them are the regions" in refused(one_hot(mask, (1, 2, 4)))


def test_a_background_channel_is_no_region():
    file = regions(labels(), ("WT", "WT", "TC", "ET"))
    file[..., 0] = 1 - file[..., 0]
    assert "one of them holds in every voxel" in refused(file, TREATED)


@pytest.mark.parametrize(("factor", "said"), [(255, "from 0 to 255"), (-4.0, "from -4 to")])
def test_other_values_than_probabilities_are_refused(factor, said):
    assert said in refused(regions(labels(), ORDERS[0]) * factor)


def test_what_is_not_a_number_is_refused():
    file = regions(labels(), ORDERS[0]).astype(np.float32)
    file[0, 0, 0, 0] = np.nan
    assert "from nan to nan" in refused(file)


@pytest.mark.parametrize("count", [2, 6])
def test_another_number_of_channels_is_refused_with_the_way_to_labels(count):
    said = refused(np.zeros((*SHAPE, count), np.uint8))
    assert f"the volume is 6x7x8x{count}, neither a mask of three dimensions nor a channel for each" in said
    assert said.endswith("instead: 2 where WT is, then 1 where TC is, then 4 where ET is, 0 elsewhere")


@pytest.mark.parametrize(("task", "count"), [(TASK, 4), (TASK, 5), (load_task("brats-meningioma-radiotherapy"), 2)])
def test_as_many_channels_as_background_and_labels_are_refused_with_both_ways_to_labels(task, count):
    for shape in ((*SHAPE, count), (count, *SHAPE)):
        said = refused(np.zeros(shape, np.uint8), task)
        assert said.endswith("0 elsewhere; or, if its channels are background and labels, the argmax over them")


def test_channels_that_do_not_overlap_are_refused_with_the_way_from_labels_too():
    assert "or, if they are labels, which do not overlap, the value of each label" in refused(
        one_hot(labels(), (1, 2, 4))
    )


def test_the_reference_tells_the_axis_where_both_could_hold_the_channels():
    file = np.zeros((3, 5, 6, 3), np.uint8)
    assert read_channels(file, (3, 5, 6), TASK).masks.shape == (3, 3, 5, 6)
    with pytest.raises(InvalidMaskError):
        read_channels(np.zeros((3, 3, 3, 3), np.uint8), (3, 3, 3), TASK)


def test_regions_that_do_not_determine_labels_are_refused():
    task = load_task("brats-paediatric")
    mask = np.where(labels() == 4, 1, np.where(labels() == 1, 3, 2 * labels()))
    assert "do not say which label a voxel has" in refused(regions(mask, ORDERS[0], task), task)
    assert label_mask_hint(task) == "write one mask of three dimensions instead"
