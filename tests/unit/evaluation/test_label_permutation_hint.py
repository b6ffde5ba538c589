"""Hints on permuted labels, and masks that must give no hint."""

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
    """Return the confusion matrix, (5, 5)."""
    return np.bincount((5 * reference.astype(int) + prediction).ravel(), minlength=25).reshape(5, 5)


def tumour(seed: int, *, enhancing: bool = True):
    """Return a small mask: a necrotic core in an enhancing rim in oedema, at a random position."""
    centre = np.random.default_rng(seed).uniform(10, 14, 3)[:, None, None, None]
    radius = np.linalg.norm(np.indices((24, 24, 24)) - centre, axis=0)
    mask = np.select([radius < 3, radius < 5, radius < 8], [1, 4 if enhancing else 1, 2], 0)
    return mask.astype(np.uint8)


def relabelled(mask, mapping):
    """Return a mask with each label replaced by its new label in `mapping`."""
    values = np.arange(5, dtype=np.uint8)
    values[list(mapping)] = list(mapping.values())
    return values[mask]


def find_permutation(references, predictions, labels=LABELS):
    """Return the mapping of the hint on a folder; None without a hint."""
    permutation = find_folder_permutation([table(*pair) for pair in zip(references, predictions, strict=True)], labels)
    return permutation and dict(permutation.mapping)


MASKS = [tumour(seed) for seed in range(8)]


@pytest.mark.parametrize("mapping", [{1: 2, 2: 1, 4: 4}, {1: 4, 2: 1, 4: 2}, {1: 1, 2: 4, 4: 2}])
def test_every_permutation_is_found(mapping):
    assert find_permutation(MASKS, [relabelled(mask, mapping) for mask in MASKS]) == {
        new: label for label, new in mapping.items()
    }


def test_a_permutation_is_found_in_poor_masks():
    poor = [np.roll(relabelled(mask, {1: 2, 2: 1}), 2, axis=0) for mask in MASKS]
    assert find_permutation(MASKS, poor) == {1: 2, 2: 1, 4: 4}


def test_a_permutation_is_found_despite_a_few_bad_cases():
    predictions = [relabelled(mask, {1: 2, 2: 1}) for mask in MASKS]
    predictions[:2] = np.zeros_like(MASKS[0]), np.roll(MASKS[1], 12, axis=0)
    assert find_permutation(MASKS, predictions) == {1: 2, 2: 1, 4: 4}


def test_a_few_permuted_cases_give_hints_on_these_cases_only():
    predictions = [relabelled(mask, {1: 2, 2: 1}) if number < 3 else mask for number, mask in enumerate(MASKS)]
    assert find_permutation(MASKS, predictions) is None
    hints = [find_case_permutation(table(*pair), LABELS) for pair in zip(MASKS, predictions, strict=True)]
    assert [hint and dict(hint.mapping) for hint in hints] == [{1: 2, 2: 1, 4: 4}] * 3 + [None] * 5


def test_labels_without_any_gain_stay():
    references = [tumour(seed, enhancing=False) for seed in range(4)]
    assert find_permutation(references, [relabelled(mask, {1: 2, 2: 1}) for mask in references]) == {1: 2, 2: 1, 4: 4}


def test_a_value_of_another_convention_is_found():
    references = [relabelled(mask, {4: 3}) for mask in MASKS]
    assert find_permutation(references, MASKS, (1, 2, 3, 4)) == {1: 1, 2: 2, 3: 4, 4: 3}


def with_cavity(mask):
    """Return a mask with the labels of post-treatment masks: 3 is enhancing tumour, 4 a resection cavity."""
    post_treatment = relabelled(mask, {4: 3})
    post_treatment[:3, :3, :3] = 4
    return post_treatment


def test_a_value_of_another_convention_is_found_if_the_references_have_more_labels():
    assert find_permutation([with_cavity(mask) for mask in MASKS], MASKS, (1, 2, 3, 4)) == {1: 1, 2: 2, 3: 4, 4: 3}


def test_a_label_that_is_never_predicted_gives_no_hint():
    references = [with_cavity(mask) for mask in MASKS]
    assert find_permutation(references, [relabelled(mask, {4: 3}) for mask in MASKS], (1, 2, 3, 4)) is None
    assert find_permutation(MASKS, [relabelled(mask, {4: 1}) for mask in MASKS]) is None


def test_empty_masks_give_no_hint():
    assert find_permutation([], []) is None
    assert find_permutation(MASKS[:1], [np.zeros_like(MASKS[0])]) is None


def test_a_core_labelled_as_enhancing_in_one_case_gives_no_hint():
    reference = tumour(0, enhancing=False)
    assert find_case_permutation(table(reference, relabelled(reference, {1: 4})), LABELS) is None


def test_the_label_map_has_the_values_on_disk():
    value_labels = {0: 0, 1: 1, 2: 2, 3: 4}
    assert permuted_label_map(value_labels, {1: 2, 2: 1, 4: 4}) == {1: 2, 2: 1, 3: 4}
    assert permuted_label_map({1: 2, 2: 1, 7: 4}, {1: 2, 2: 1, 4: 4}) == {1: 1, 2: 2, 7: 4}


def test_the_message_names_the_setting():
    permutation = find_folder_permutation([table(MASKS[0], relabelled(MASKS[0], {1: 2, 2: 1}))], LABELS)
    message = permutation.message({1: 2, 2: 1, 3: 4}, several=False)
    assert "is 0.33 and would be 1.00 with 1 to 2, 2 to 1 (" in message
    assert "set score.label_map: {1: 2, 2: 1, 3: 4}" in message
    assert "score.label_map for this folder to {1: 2}" in permutation.message({1: 2}, several=True)


@cache
def real_masks():
    """Return the masks of the real cases, subsampled."""
    masks = []
    for path in sorted(real_data().glob("*/*seg.nii.gz")):
        mask = np.asarray(nibabel.load(path).dataobj)
        masks.append(mask[::2, ::2, ::2])
    return masks


def smooth(mask):
    """Return a mask after blurring each label."""
    parts = [ndimage.gaussian_filter((mask == label).astype(np.float32), 2) for label in (0, *LABELS)]
    return np.array([0, *LABELS], np.uint8)[np.argmax(parts, axis=0)]


DISTORTIONS = {
    "smoothed": smooth,
    "eroded": lambda mask: np.where(ndimage.binary_erosion(mask > 0, iterations=2), mask, 0),
    "displaced": lambda mask: np.roll(mask, 4, axis=0),
    "mirrored": lambda mask: mask[::-1],
    "all enhancing": lambda mask: np.where(mask > 0, 4, 0),
    "all oedema": lambda mask: np.where(mask > 0, 2, 0),
    "core all necrotic": lambda mask: relabelled(mask, {4: 1}),
    "core all enhancing": lambda mask: relabelled(mask, {1: 4}),
}


@pytest.mark.parametrize("distortion", DISTORTIONS)
def test_distorted_real_masks_give_no_hint(distortion):
    predictions = [DISTORTIONS[distortion](mask).astype(np.uint8) for mask in real_masks()]
    assert find_permutation(real_masks(), predictions) is None
    assert not any(find_case_permutation(table(*pair), LABELS) for pair in zip(real_masks(), predictions, strict=True))
