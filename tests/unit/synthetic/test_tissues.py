import numpy as np
import pytest

from tumorseg.synthetic.tissues import Tissue, task_labels
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
