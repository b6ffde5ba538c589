"""Core and oedema seem to be exchanged if the core surrounds the oedema."""

import numpy as np
import pytest

from tests.support.case_files import TASK, real_data
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.mask_checks import canonical_labels, label_order_warnings, read_labels
from tumorseg.io.volume import read_volume
from tumorseg.task import load_task
from tumorseg.task.conventions import detect_convention

SHAPE = (20, 21, 22)


def ball(inner: int, outer: int, radius: float = 7):
    """Return a ball of one label inside a larger ball of another."""
    distance = np.linalg.norm(np.indices(SHAPE) - np.array([9, 10, 11]).reshape(3, 1, 1, 1), axis=0)
    return np.asfortranarray(np.select([distance < radius / 2, distance < radius], [inner, outer]).astype(np.uint8))


def warning_codes(volume, task=TASK):
    found = read_labels(volume)
    labels = canonical_labels(found, task, detect_convention(found.counts, task))
    return [warning.code for warning in label_order_warnings(labels, volume.shape, "seg.nii", task)]


def test_oedema_inside_the_core_gives_a_warning():
    assert warning_codes(ball(1, 2)) == []
    assert warning_codes(ball(2, 1)) == ["labels_exchanged"]


def test_the_meaning_of_labels_comes_from_the_task():
    assert warning_codes(ball(2, 1), load_task("decathlon-brain-tumour")) == []
    assert warning_codes(ball(1, 2), load_task("decathlon-brain-tumour")) == ["labels_exchanged"]
    assert warning_codes(ball(1, 1), load_task("brats-meningioma-radiotherapy")) == []


def test_a_few_voxels_give_no_warning():
    assert warning_codes(ball(2, 1, radius=3)) == []


@pytest.mark.parametrize("exchanged", [False, True])
def test_real_masks_with_exchanged_labels_are_found(exchanged):
    root = real_data()
    found = []
    for case in discover_cases(root, TASK):
        volume = read_volume(root / case.files["seg"][0]).array
        found.append(warning_codes(np.take(np.array([0, 2, 1, 3, 4], np.uint8), volume) if exchanged else volume))
    assert found == [["labels_exchanged"] if exchanged else []] * len(found)
