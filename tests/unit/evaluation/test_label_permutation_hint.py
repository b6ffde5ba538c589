"""When scoring says that the labels of predictions seem to be exchanged, and when it must not."""

from functools import cache

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from tests.support.case_files import real_data
from tumorseg.evaluation.label_permutation_hint import (
    find_case_permutation,
    find_folder_permutation,
    permuted_label_map,
)

LABELS = (1, 2, 4)


def table(reference, prediction):
    """Voxels by pair of labels, (5, 5)."""
    return np.bincount((5 * reference.astype(int) + prediction).ravel(), minlength=25).reshape(5, 5)


def tumour(seed: int, *, enhancing: bool = True):
    """A small mask: a necrotic core in an enhancing rim in oedema, shifted at random."""
    centre = np.random.default_rng(seed).uniform(10, 14, 3)[:, None, None, None]
    far = np.linalg.norm(np.indices((24, 24, 24)) - centre, axis=0)
    mask = np.select([far < 3, far < 5, far < 8], [1, 4 if enhancing else 1, 2], 0)
    return mask.astype(np.uint8)


def relabelled(mask, order):
    """The mask with each label replaced as `order` says."""
    values = np.arange(5, dtype=np.uint8)
    values[list(order)] = list(order.values())
    return values[mask]


def found(references, predictions, labels=LABELS):
    """How labels would move in the folder, None without a hint."""
    exchange = find_folder_permutation([table(*pair) for pair in zip(references, predictions, strict=True)], labels)
    return exchange and dict(exchange.mapping)


MASKS = [tumour(seed) for seed in range(8)]


@pytest.mark.parametrize("order", [{1: 2, 2: 1, 4: 4}, {1: 4, 2: 1, 4: 2}, {1: 1, 2: 4, 4: 2}])
def test_any_other_order_of_the_labels_is_found(order):
    assert found(MASKS, [relabelled(mask, order) for mask in MASKS]) == {new: label for label, new in order.items()}


def test_the_order_is_found_in_poor_masks_too():
    poor = [np.roll(relabelled(mask, {1: 2, 2: 1}), 2, axis=0) for mask in MASKS]
    assert found(MASKS, poor) == {1: 2, 2: 1, 4: 4}


def test_a_few_bad_cases_do_not_hide_it():
    predictions = [relabelled(mask, {1: 2, 2: 1}) for mask in MASKS]
    predictions[:2] = np.zeros_like(MASKS[0]), np.roll(MASKS[1], 12, axis=0)
    assert found(MASKS, predictions) == {1: 2, 2: 1, 4: 4}


def test_a_few_cases_in_another_order_are_no_hint_for_the_folder_and_one_for_each_case():
    predictions = [relabelled(mask, {1: 2, 2: 1}) if number < 3 else mask for number, mask in enumerate(MASKS)]
    assert found(MASKS, predictions) is None
    hints = [find_case_permutation(table(*pair), LABELS) for pair in zip(MASKS, predictions, strict=True)]
    assert [hint and dict(hint.mapping) for hint in hints] == [{1: 2, 2: 1, 4: 4}] * 3 + [None] * 5


def test_labels_that_nothing_is_won_by_stay():
    references = [tumour(seed, enhancing=False) for seed in range(4)]
    assert found(references, [relabelled(mask, {1: 2, 2: 1}) for mask in references]) == {1: 2, 2: 1, 4: 4}


def test_a_value_of_another_convention_is_found():
    references = [relabelled(mask, {4: 3}) for mask in MASKS]
    assert found(references, MASKS, (1, 2, 3, 4)) == {1: 1, 2: 2, 3: 4, 4: 3}


def with_cavity(mask):
    """The mask in values of masks after treatment: 3 for enhancing tumour, and a resection cavity, 4, beside it."""
    beside = relabelled(mask, {4: 3})
    beside[:3, :3, :3] = 4
    return beside


def test_a_value_of_another_convention_is_found_where_the_references_have_more_labels():
    assert found([with_cavity(mask) for mask in MASKS], MASKS, (1, 2, 3, 4)) == {1: 1, 2: 2, 3: 4, 4: 3}


def test_a_label_that_is_never_predicted_is_no_hint_while_the_rest_is_in_order():
    references = [with_cavity(mask) for mask in MASKS]
    assert found(references, [relabelled(mask, {4: 3}) for mask in MASKS], (1, 2, 3, 4)) is None
    assert found(MASKS, [relabelled(mask, {4: 1}) for mask in MASKS]) is None


def test_empty_masks_say_nothing():
    assert found([], []) is None
    assert found(MASKS[:1], [np.zeros_like(MASKS[0])]) is None


def test_the_core_called_enhancing_in_one_case_is_no_exchange():
    reference = tumour(0, enhancing=False)
    assert find_case_permutation(table(reference, relabelled(reference, {1: 4})), LABELS) is None


def test_the_map_to_set_is_in_values_on_disk():
    read = {0: 0, 1: 1, 2: 2, 3: 4}
    assert permuted_label_map(read, {1: 2, 2: 1, 4: 4}) == {1: 2, 2: 1, 3: 4}
    assert permuted_label_map({1: 2, 2: 1, 7: 4}, {1: 2, 2: 1, 4: 4}) == {1: 1, 2: 2, 7: 4}


def test_the_message_names_the_setting():
    exchange = find_folder_permutation([table(MASKS[0], relabelled(MASKS[0], {1: 2, 2: 1}))], LABELS)
    message = exchange.message({1: 2, 2: 1, 3: 4}, several=False)
    assert "is 0.33 and would be 1.00 with 1 to 2, 2 to 1 (" in message
    assert "set score.label_map: {1: 2, 2: 1, 3: 4}" in message
    assert "score.label_map for this folder to {1: 2}" in exchange.message({1: 2}, several=True)


@cache
def real_masks():
    """The masks of the real cases."""
    masks = []
    for path in sorted(real_data().glob("*/*seg.nii.gz")):
        mask = np.asarray(nibabel.load(path).dataobj)
        masks.append(mask[::2, ::2, ::2])
    return masks


def smooth(mask):
    """Each label blurred, the strongest taken."""
    parts = [ndimage.gaussian_filter((mask == label).astype(np.float32), 2) for label in (0, *LABELS)]
    return np.array([0, *LABELS], np.uint8)[np.argmax(parts, axis=0)]


BAD = {
    "smoothed": smooth,
    "eroded": lambda mask: np.where(ndimage.binary_erosion(mask > 0, iterations=2), mask, 0),
    "displaced": lambda mask: np.roll(mask, 4, axis=0),
    "mirrored": lambda mask: mask[::-1],
    "all enhancing": lambda mask: np.where(mask > 0, 4, 0),
    "all oedema": lambda mask: np.where(mask > 0, 2, 0),
    "core all necrotic": lambda mask: relabelled(mask, {4: 1}),
    "core all enhancing": lambda mask: relabelled(mask, {1: 4}),
}


@pytest.mark.parametrize("bad", BAD)
def test_real_masks_that_are_merely_bad_are_no_exchange(bad):
    predictions = [BAD[bad](mask).astype(np.uint8) for mask in real_masks()]
    assert found(real_masks(), predictions) is None
    assert not any(find_case_permutation(table(*pair), LABELS) for pair in zip(real_masks(), predictions, strict=True))
