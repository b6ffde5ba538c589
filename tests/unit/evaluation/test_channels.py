"""Predictions with one channel per region: the order of the channels, and files that are refused."""

import numpy as np
import pytest

from tumorseg.errors import InvalidMaskError
from tumorseg.evaluation.channels import assign_regions, label_mask_hint, read_channels
from tumorseg.task import load_task

TASK = load_task()
POST_TREATMENT = load_task("brats-glioma-post-treatment")
SHAPE = (6, 7, 8)
ORDERS = [("TC", "WT", "ET"), ("WT", "TC", "ET"), ("ET", "TC", "WT")]


def labels(*, enhancing=True, core=True):
    """Return a mask of the default task."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:5, 1:6, 1:7] = 2
    if core:
        mask[2:4, 2:5, 2:6] = 1
    if enhancing:
        mask[2, 2:5, 2:6] = 4
    return mask


def regions(mask, order, task=TASK):
    """Return the channels of a mask, (X, Y, Z, C)."""
    return np.stack([np.isin(mask, task.region_labels[name]) for name in order], axis=-1).astype(np.uint8)


def find_regions(files, task=TASK):
    """Return the region of each channel in a folder of files."""
    return assign_regions([read_channels(file, SHAPE, task).statistics().overlaps for file in files], task)


def refusal_message(file, task=TASK):
    with pytest.raises(InvalidMaskError) as caught:
        find_regions([file], task)
    return str(caught.value)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("axis", [0, -1])
def test_the_order_of_channels_follows_from_the_nesting_of_regions(order, axis):
    file = np.moveaxis(regions(labels(), order), -1, axis)
    assert find_regions([file]) == order
    channels = read_channels(file, SHAPE, TASK)
    np.testing.assert_array_equal(channels.to_labels(order, TASK), labels())
    assert channels.statistics().note(order, TASK) == f"read as channels of regions {', '.join(order)}"


def test_axes_of_length_1_are_removed():
    file = regions(labels(), ORDERS[0])[:, :, :, None]
    assert find_regions([file]) == ORDERS[0]


def test_the_order_is_inferred_from_all_files_of_a_folder():
    bare = regions(labels(enhancing=False, core=False), ORDERS[0])
    no_core = regions(np.where(labels() == 2, 2, labels() // 4 * 4), ORDERS[0])
    assert find_regions([bare, no_core, regions(labels(), ORDERS[0])]) == ORDERS[0]


def test_equal_channels_are_interchangeable():
    mask = np.where(labels() == 1, 4, labels())
    file = regions(mask, ORDERS[0])
    np.testing.assert_array_equal(read_channels(file, SHAPE, TASK).to_labels(find_regions([file]), TASK), mask)


def test_a_voxel_outside_the_outer_region_is_added_to_it_with_a_note():
    file = regions(labels(), ORDERS[0])
    file[0, 0, 0, 2] = 1
    assert find_regions([file]) == ORDERS[0]
    channels = read_channels(file, SHAPE, TASK)
    assert channels.to_labels(ORDERS[0], TASK)[0, 0, 0] == 4
    assert "; up to 2 voxels of an inner region lie outside" in channels.statistics().note(ORDERS[0], TASK)


def test_probabilities_are_thresholded_with_a_note():
    file = regions(labels(), ORDERS[0]) * np.float32(0.93) + np.float32(0.01)
    channels = read_channels(file, SHAPE, TASK)
    np.testing.assert_array_equal(channels.to_labels(find_regions([file]), TASK), labels())
    assert channels.statistics().note(ORDERS[0], TASK).endswith("ET with probabilities of at least 0.5")


def test_a_region_outside_the_others_is_found():
    mask = np.where(labels() == 4, 3, labels())
    mask[5] = 4
    order = ("RC", "TC", "WT", "ET")
    assert find_regions([regions(mask, order, POST_TREATMENT)], POST_TREATMENT) == order
    channels = read_channels(regions(mask, order, POST_TREATMENT), SHAPE, POST_TREATMENT)
    np.testing.assert_array_equal(channels.to_labels(order, POST_TREATMENT), mask)


def test_empty_predictions_are_empty_in_any_order():
    assert set(find_regions([regions(np.zeros(SHAPE), ORDERS[0])])) == set(ORDERS[0])


def one_hot(mask, values=(0, 1, 4)):
    return np.stack([mask == value for value in values], axis=-1)


def softmax(mask):
    parts = np.exp(3 * one_hot(mask, (0, 1, 2, 4)).astype(np.float32))
    return parts / parts.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("file", [one_hot(np.where(labels() == 2, 0, labels())), softmax(labels())[..., 1:]])
def test_channels_of_labels_are_refused(file):
    assert "write one 3D mask instead" in refusal_message(file)


def test_probabilities_of_labels_are_recognised_by_their_sum():
    post_treatment = np.where(labels() == 4, 3, labels())
    file = np.exp(3 * one_hot(post_treatment, (0, 1, 2, 3)).astype(np.float32))
    message = refusal_message(file / file.sum(axis=-1, keepdims=True), POST_TREATMENT)
    assert "background and labels, not the regions WT, TC, ET, RC" in message
    assert message.endswith("the argmax over the channels")


def test_probabilities_of_labels_that_are_0_outside_the_brain_are_recognised():
    file = np.exp(3 * one_hot(labels(), (0, 1, 2, 4)).astype(np.float32))
    file /= file.sum(axis=-1, keepdims=True)
    file[:, :, :2] = 0
    assert "background and labels" in refusal_message(file, POST_TREATMENT)


@pytest.mark.parametrize(
    "mask", [np.where(labels() > 0, 1, 0), np.where(labels() == 1, 2, labels())], ids=["one label", "two labels"]
)
def test_the_order_of_disjoint_channels_is_ambiguous(mask):
    assert "does not show which ones are the regions" in refusal_message(one_hot(mask, (1, 2, 4)))


def test_a_background_channel_is_refused():
    file = regions(labels(), ("WT", "WT", "TC", "ET"))
    file[..., 0] = 1 - file[..., 0]
    assert "every voxel is in one of them" in refusal_message(file, POST_TREATMENT)


@pytest.mark.parametrize(("factor", "message"), [(255, "from 0 to 255"), (-4.0, "from -4 to")])
def test_other_values_than_probabilities_are_refused(factor, message):
    assert message in refusal_message(regions(labels(), ORDERS[0]) * factor)


def test_nan_is_refused():
    file = regions(labels(), ORDERS[0]).astype(np.float32)
    file[0, 0, 0, 0] = np.nan
    assert "from nan to nan" in refusal_message(file)


@pytest.mark.parametrize("count", [2, 6])
def test_another_number_of_channels_is_refused_with_a_hint(count):
    message = refusal_message(np.zeros((*SHAPE, count), np.uint8))
    assert f"the volume is 6x7x8x{count}, which is neither a 3D mask nor one channel per region" in message
    assert message.endswith("instead: 2 where WT is, then 1 where TC is, then 4 where ET is, 0 elsewhere")


@pytest.mark.parametrize(("task", "count"), [(TASK, 4), (TASK, 5), (load_task("brats-meningioma-radiotherapy"), 2)])
def test_as_many_channels_as_background_and_labels_are_refused_with_both_hints(task, count):
    for shape in ((*SHAPE, count), (count, *SHAPE)):
        message = refusal_message(np.zeros(shape, np.uint8), task)
        assert message.endswith("0 elsewhere; or, if its channels are background and labels, the argmax over them")


def test_disjoint_channels_are_refused_with_a_hint_on_labels():
    assert "or, if the channels are labels, the value of each label" in refusal_message(one_hot(labels(), (1, 2, 4)))


def test_the_reference_decides_the_channel_axis_if_both_fit():
    file = np.zeros((3, 5, 6, 3), np.uint8)
    assert read_channels(file, (3, 5, 6), TASK).masks.shape == (3, 3, 5, 6)
    with pytest.raises(InvalidMaskError):
        read_channels(np.zeros((3, 3, 3, 3), np.uint8), (3, 3, 3), TASK)


def test_regions_that_do_not_determine_labels_are_refused():
    task = load_task("brats-paediatric")
    mask = np.where(labels() == 4, 1, np.where(labels() == 1, 3, 2 * labels()))
    assert "do not determine the labels" in refusal_message(regions(mask, ORDERS[0], task), task)
    assert label_mask_hint(task) == "write one 3D mask instead"
