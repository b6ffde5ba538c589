"""The channel that the others are registered to."""

import pytest

from tumorseg import load_task
from tumorseg.preparation.reference import reference_channel


@pytest.mark.parametrize(
    ("available", "expected"),
    [
        (["t1", "t1ce", "t2", "flair"], "t1ce"),
        (["t2", "flair", "t1"], "t1"),
        (["t2", "flair"], "flair"),
        (["t2"], "t2"),
    ],
)
@pytest.mark.parametrize("task", ["brats-glioma", "decathlon-brain-tumour"])
def test_the_sharpest_image_is_the_reference(task, available, expected):
    assert reference_channel(load_task(task), available) == expected


def test_a_task_without_known_contrasts_has_its_first_channel_as_reference():
    text = (load_task("brats-meningioma-radiotherapy").to_json()).replace("t1ce", "ct").replace("T1CE", "CT")
    task = type(load_task()).from_json(text.replace("t1c", "ct"))
    assert reference_channel(task, ["ct"]) == "ct"
