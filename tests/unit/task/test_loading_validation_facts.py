"""The facts that make cases validate again: the task without titles and colours, and the signs of other tasks."""

import json
from dataclasses import replace

import pytest

from tumorseg.task import built_in_tasks, load_task, task_signs_digest, validation_facts

TASK = load_task()


@pytest.mark.parametrize("name", built_in_tasks())
def test_validation_facts_have_no_title_and_no_colour(name):
    text = validation_facts(load_task(name))
    assert '"title"' not in text
    assert '"colour"' not in text


def test_another_title_or_colour_changes_no_validation_fact():
    labels = tuple(replace(label, title="another", colour="#000000") for label in TASK.labels)
    channels = tuple(replace(channel, title="another") for channel in TASK.channels)
    regions = tuple(replace(region, title="another") for region in TASK.regions)
    other = replace(TASK, title="another", labels=labels, channels=channels, regions=regions)
    assert validation_facts(other) == validation_facts(TASK)


@pytest.mark.parametrize("changes", [{"mask_files": ("mask",)}, {"grids": ((1, 2, 3),)}, {"patient": "(P1)"}])
def test_parts_that_validation_uses_change_the_facts(changes):
    assert validation_facts(replace(TASK, **changes)) != validation_facts(TASK)


def test_validation_facts_include_the_signs_of_all_tasks():
    assert json.loads(validation_facts(TASK))["others"] == task_signs_digest()
