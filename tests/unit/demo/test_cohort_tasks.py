"""The demo cohort has the channels and labels of every task."""

from dataclasses import replace

import numpy as np
import pytest

from tumorseg.demo.anatomy import cohort_grid, load_template
from tumorseg.demo.cohort import make_case
from tumorseg.demo.plan import demo_convention, plan_cases
from tumorseg.task import Channel, Label, Region, built_in_tasks, load_task
from tumorseg.task.conventions import to_canonical

SETTINGS = {"cases": 9, "spacing_mm": 6, "seed": 3}


@pytest.fixture(scope="module")
def template():
    return load_template(SETTINGS["spacing_mm"])


def make_volumes(template, task, number=0):
    """Return the volumes of a case, with the mask in labels of the task."""
    volumes = make_case(plan_cases(SETTINGS, task)[number], task, template, cohort_grid(template, 6))
    return {**volumes, "seg": to_canonical(volumes["seg"], task, demo_convention(task))}


@pytest.mark.parametrize("name", built_in_tasks())
def test_a_case_has_the_channels_and_all_labels_of_its_task(template, name):
    task = load_task(name)
    volumes = make_volumes(template, task)
    assert set(volumes) == {*task.channel_names, "seg"}
    assert set(np.unique(volumes["seg"])) == {0, *task.label_values}


def brightness(volumes, channel, label):
    """Return the mean of a channel in a label, relative to the mean in the brain."""
    image = volumes[channel].astype(float)
    return image[volumes["seg"] == label].mean() / image[image > 0].mean()


@pytest.mark.parametrize(("name", "meaning"), [("brats-glioma-post-treatment", "cavity"), ("brats-paediatric", "cyst")])
def test_cavities_and_cysts_look_like_fluid(template, name, meaning):
    task = load_task(name)
    volumes = make_volumes(template, task)
    fluid, enhancing = task.label_of(meaning), task.label_of("enhancing")
    assert brightness(volumes, "t2", fluid) > 1.2
    for channel in ("t1", "t1ce", "flair"):
        assert brightness(volumes, channel, fluid) < 0.85
    assert brightness(volumes, "t1ce", enhancing) > 1.2


def test_a_tumour_without_enhancement_has_a_cavity_too(template):
    task = load_task("brats-glioma-post-treatment")
    assert set(np.unique(make_volumes(template, task, 4)["seg"])) == {0, 1, 2, 4}


def test_the_gross_tumour_is_the_core(template):
    core = np.isin(make_volumes(template, load_task())["seg"], (1, 4))
    np.testing.assert_array_equal(make_volumes(template, load_task("brats-meningioma-radiotherapy"))["seg"] == 1, core)


def test_unknown_channels_and_labels_have_contrast(template):
    task = load_task("brats-meningioma-radiotherapy")
    labels = tuple(Label(value, f"part {value}", "other", "#000000") for value in (1, 2, 3, 5))
    own = replace(
        task,
        channels=(Channel("adc", "ADC", ("adc",)), Channel("swi", "SWI", ("swi",))),
        classes=6,
        labels=labels,
        regions=(Region("WT", "all", (1, 2, 3, 5)),),
    )
    volumes = make_volumes(template, own)
    assert set(np.unique(volumes["seg"])) == {0, 1, 2, 3, 5}
    assert np.corrcoef(volumes["adc"].ravel(), volumes["swi"].ravel())[0, 1] < 0.999
    np.testing.assert_array_equal(make_volumes(template, own)["adc"], volumes["adc"])
