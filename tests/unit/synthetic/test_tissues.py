from dataclasses import replace

import numpy as np
import pytest

from tumorseg.errors import UserError
from tumorseg.synthetic.tissues import Tissue, require_simulated, task_labels
from tumorseg.task import load_task

ALL = np.array(list(Tissue), np.uint8)


@pytest.mark.parametrize(
    ("task", "labels"),
    [
        ("brats-glioma", [0, 2, 1, 1, 1, 4, 0]),
        ("decathlon-brain-tumour", [0, 1, 2, 2, 2, 3, 0]),
        ("brats-glioma-post-treatment", [0, 2, 1, 1, 1, 3, 4]),
    ],
)
def test_each_tissue_has_the_label_of_its_meaning(task, labels):
    np.testing.assert_array_equal(task_labels(ALL, load_task(task)), labels)


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("brats-paediatric", "label 3 .* means cyst"),
        ("brats-meningioma-radiotherapy", "label 1 .* means tumour"),
    ],
)
def test_a_task_with_other_labels_is_refused(task, reason):
    with pytest.raises(UserError, match=f"task {task}: {reason}.*real cases alone"):
        require_simulated(load_task(task))


def test_a_task_without_a_label_for_each_part_is_refused():
    task = load_task()
    with pytest.raises(UserError, match="no label means enhancing"):
        require_simulated(replace(task, labels=task.labels[:2]))


def test_a_task_with_other_channels_is_refused():
    task = load_task()
    with pytest.raises(UserError, match="cannot have the channel adc, only t1, t1ce, t2, flair"):
        require_simulated(replace(task, channels=(*task.channels, replace(task.channels[0], name="adc"))))
