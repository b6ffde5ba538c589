"""Which models fit which tasks."""

from dataclasses import replace
from pathlib import Path

import pytest

from tumorseg.errors import UserError
from tumorseg.task import load_task
from tumorseg.task.compatibility import require_task

TASK = load_task()


def test_optional_channels_do_not_matter_to_a_network():
    require_task(Path("model"), TASK, TASK.with_optional_channels())


def test_the_message_shows_a_difference_that_matters():
    other = replace(load_task("brats-metastases"), name="mine")
    with pytest.raises(UserError, match=r"its labels are 1, 2, 3, 4 instead of 1, 2, 4"):
        require_task(Path("model"), other, TASK)
