"""The facts of a task that make cases validate again, and those that make patients prepare again."""

import json
from dataclasses import replace

import pytest

from tumorseg.task import built_in_tasks, load_task, preparation_facts, task_signs_digest, validation_facts

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


@pytest.mark.parametrize("changes", [{"files": ("another",)}, {"title": "another"}, {"name": "another"}])
def test_parts_that_the_choice_of_images_uses_change_the_facts_of_the_preparation(changes):
    channels = (replace(TASK.channels[0], **changes), *TASK.channels[1:])
    assert preparation_facts(replace(TASK, channels=channels)) != preparation_facts(TASK)


def test_endings_of_masks_change_the_facts_of_the_preparation():
    assert preparation_facts(replace(TASK, mask_files=("mask",))) != preparation_facts(TASK)


def test_what_only_masks_and_figures_use_prepares_no_patient_again():
    labels = tuple(replace(label, title="another", colour="#000000") for label in TASK.labels)
    channels = tuple(replace(channel, display=not channel.display) for channel in TASK.channels)
    other = replace(TASK, title="another", labels=labels, channels=channels, regions=TASK.regions[:1])
    assert preparation_facts(other) == preparation_facts(TASK)
