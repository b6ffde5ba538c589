"""The demo cohort of each task: channels, labels and what they look like."""

from dataclasses import replace

import numpy as np
import pytest

from tumorseg.demo.anatomy import cohort_grid, load_template
from tumorseg.demo.cohort import make_case
from tumorseg.demo.plan import newest_convention, plan_cases
from tumorseg.task import Channel, Label, Region, built_in_tasks, load_task
from tumorseg.task.conventions import to_canonical

SETTINGS = {"cases": 9, "spacing_mm": 6, "seed": 3}


@pytest.fixture(scope="module")
def template():
    return load_template(SETTINGS["spacing_mm"])


def made(template, task, number=0):
    """The volumes of a case, the mask in labels of the task."""
    volumes = make_case(plan_cases(SETTINGS, task)[number], task, template, cohort_grid(template, 6))
    return {**volumes, "seg": to_canonical(volumes["seg"], task, newest_convention(task))}


@pytest.mark.parametrize("name", built_in_tasks())
def test_a_case_has_the_channels_and_all_labels_of_its_task(template, name):
    task = load_task(name)
    volumes = made(template, task)
    assert set(volumes) == {*task.channel_names, "seg"}
    assert set(np.unique(volumes["seg"])) == {0, *task.label_values}


def brightness(volumes, channel, label):
    """Mean of a label in a channel, in units of the brain's mean."""
    image = volumes[channel].astype(float)
    return image[volumes["seg"] == label].mean() / image[image > 0].mean()


@pytest.mark.parametrize(("name", "meaning"), [("brats-glioma-post-treatment", "cavity"), ("brats-paediatric", "cyst")])
def test_cavities_and_cysts_look_like_fluid(template, name, meaning):
    task = load_task(name)
    volumes = made(template, task)
    fluid, enhancing = task.label_of(meaning), task.label_of("enhancing")
    assert brightness(volumes, "t2", fluid) > 1.2
    for channel in ("t1", "t1ce", "flair"):
        assert brightness(volumes, channel, fluid) < 0.85
    assert brightness(volumes, "t1ce", enhancing) > 1.2


def test_a_cavity_is_there_without_enhancing_tumour_too(template):
    task = load_task("brats-glioma-post-treatment")
    assert set(np.unique(made(template, task, 4)["seg"])) == {0, 1, 2, 4}


def test_the_gross_tumour_is_the_core(template):
    core = np.isin(made(template, load_task())["seg"], (1, 4))
    np.testing.assert_array_equal(made(template, load_task("brats-meningioma-radiotherapy"))["seg"] == 1, core)


def test_a_task_of_unknown_channels_and_labels_has_a_contrast_of_its_own(template):
    task = load_task("brats-meningioma-radiotherapy")
    labels = tuple(Label(value, f"part {value}", "other", "#000000") for value in (1, 2, 3, 5))
    own = replace(
        task,
        channels=(Channel("adc", "ADC", ("adc",)), Channel("swi", "SWI", ("swi",))),
        classes=6,
        labels=labels,
        regions=(Region("WT", "all", (1, 2, 3, 5)),),
    )
    volumes = made(template, own)
    assert set(np.unique(volumes["seg"])) == {0, 1, 2, 3, 5}
    assert np.corrcoef(volumes["adc"].ravel(), volumes["swi"].ravel())[0, 1] < 0.999
    np.testing.assert_array_equal(made(template, own)["adc"], volumes["adc"])
