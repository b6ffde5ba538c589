import pytest
import yaml

from tests.support.builders import REPOSITORY, TASK
from tumorseg.configuration.postprocessing_candidates import (
    candidate_count,
    candidates,
    no_postprocessing,
    settings_in_use,
)
from tumorseg.inference.postprocessing import STEPS
from tumorseg.task import built_in_tasks, load_task

DEFAULTS = yaml.safe_load((REPOSITORY / "config.yaml").read_text())["postprocessing"]
SECTION = {"remove_components_mm3": [50], "min_enhancing_mm3": [200], "fill_holes": True}


def test_all_combinations_are_tried_once():
    found = candidates(SECTION, TASK)
    assert len({str(candidate) for candidate in found}) == len(found) == 2**3 * 2 * 2


def test_less_postprocessing_comes_first():
    used = [
        settings_in_use(candidate) for candidate in candidates({**SECTION, "remove_components_mm3": [50, 10]}, TASK)
    ]
    assert used[:4] == [{}, {"fill_holes": True}, {"remove_components": {"ET": 10}}, {"remove_components": {"TC": 10}}]
    assert used[-1] == {
        "remove_components": {"WT": 50, "TC": 50, "ET": 50},
        "min_enhancing_mm3": 200,
        "fill_holes": True,
    }


def test_a_candidate_has_the_keys_of_every_step_and_a_volume_for_every_region():
    """A configuration file with the candidate then replaces all settings of post-processing."""
    candidate = no_postprocessing(TASK)
    assert settings_in_use(candidate) == {}
    assert set(candidate) == {step.name for step in STEPS}
    assert set(candidate["remove_components"]) == set(TASK.region_labels)


def test_enhancing_tumour_is_left_out_for_a_task_without_it():
    found = candidates(SECTION, load_task("brats-meningioma-radiotherapy"))
    assert {candidate["min_enhancing_mm3"] for candidate in found} == {0}
    assert len(found) == 2 * 2


@pytest.mark.parametrize("name", built_in_tasks())
def test_the_defaults_are_allowed_for_every_task(name):
    task = load_task(name)
    found = candidates(DEFAULTS, task)
    assert found[0] == no_postprocessing(task)
    assert candidate_count(DEFAULTS, task) == len(found) <= 5000
