from dataclasses import replace

import pytest

from tumorseg.errors import UserError
from tumorseg.synthetic.requirements import cube_edge_mm, require_simulated
from tumorseg.task import load_task


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


@pytest.mark.parametrize("spacing", [None, 0.5, 20, [2, 2, 5]])
def test_voxels_that_cannot_be_simulated_are_refused(spacing):
    with pytest.raises(UserError, match=r"normalisation\.spacing_mm is .*such as 2"):
        cube_edge_mm({"spacing_mm": spacing})


def test_three_equal_edges_are_one_number():
    assert cube_edge_mm({"spacing_mm": [2, 2, 2]}) == cube_edge_mm({"spacing_mm": 2}) == 2
