"""Keys of the configuration that do not fit the task, and values that the task fills in."""

import copy
from dataclasses import replace

import pytest
import yaml

from tests.support.builders import REPOSITORY
from tumorseg.configuration.command_line import coerce_to_schema
from tumorseg.configuration.label_maps import parse_label_map
from tumorseg.configuration.schema_validation import schema_errors
from tumorseg.configuration.task_validation import fill_task_defaults, load_configured_task, task_contradiction_errors
from tumorseg.errors import UserError
from tumorseg.task import Task, load_task
from tumorseg.task.definition import Channel

DEFAULTS = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
TASK_SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/task.schema.yaml").read_text())


def with_changes(**changes) -> dict:
    """Return the defaults with some changes, which are written `section__key=value`."""
    configuration = copy.deepcopy(DEFAULTS)
    for name, value in changes.items():
        section, key = name.split("__")
        configuration[section][key] = value
    return configuration


def contradictions_with(task: Task | None = None, **changes) -> list[str]:
    configuration = coerce_to_schema(with_changes(**changes), SCHEMA)
    assert schema_errors(configuration, SCHEMA) == []
    return task_contradiction_errors(configuration, task or load_task())


def test_the_defaults_fit_every_task():
    assert contradictions_with() == []
    assert contradictions_with(load_task("brats-meningioma-radiotherapy")) == []


def test_the_subsets_of_many_channels_are_not_scored():
    channels = tuple(Channel(f"c{number}", f"C{number}") for number in range(7))
    task = replace(load_task(), name="mine", channels=channels)
    (sentence,) = contradictions_with(task, evaluation__leave_out_modalities=True)
    assert sentence == (
        "evaluation.leave_out_modalities: true is not allowed; the task mine has 7 channels, so each case would be "
        "segmented 127 times (at most 6 channels): set it to false"
    )
    assert contradictions_with(task) == contradictions_with(evaluation__leave_out_modalities=True) == []


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"cohort__labels": "brats2024"}, "cohort.labels: brats2024 is not allowed; with the task brats-glioma it is"),
        ({"model__classes": 4}, "model.classes: 4 is not allowed; the task brats-glioma has 5 classes: leave it out"),
        (
            {"prediction__remove_components": {"RC": 1}},
            "prediction.remove_components.RC: the task brats-glioma has no RC",
        ),
        (
            {"segment__mask_channels": ["t1c"]},
            "segment.mask_channels: the task brats-glioma has no channel t1c; it has t1, t1ce, t2, flair",
        ),
        (
            {"training__cross_entropy_weights": {"label_3": 2}},
            "training.cross_entropy_weights.label_3: the task brats-glioma has no label_3",
        ),
        ({"figures__colours": {"label_3": "#123456"}}, "figures.colours.label_3: the task brats-glioma has no label_3"),
        (
            {"score__label_map": {1: 3}},
            "score.label_map: 3 is not a label of the task brats-glioma, which has 0, 1, 2, 4",
        ),
        (
            {"score__label_map": [None, {5: 3}], "score__predictions": ["a", "b"]},
            "score.label_map: 3 is not a label of the task",
        ),
        (
            {"score__label_map": [{1: 2}], "score__predictions": ["a", "b"]},
            "score.label_map: the list has 1 entries, but score.predictions has 2 folders; write",
        ),
        (
            {"score__label_map": [{1: 2}, {1: 2}], "score__predictions": "a"},
            "score.label_map: the list has 2 entries, but score.predictions has 1 folders",
        ),
    ],
)
def test_a_key_that_does_not_fit_the_task_is_reported(changes, start):
    (sentence,) = contradictions_with(**changes)
    assert sentence.startswith(start)


def test_a_label_map_for_each_folder_fits():
    assert contradictions_with(score__label_map=[{1: 2, 2: 1, 3: 4}, None], score__predictions=["a", "b"]) == []


def test_a_minimum_of_enhancing_tumour_needs_a_task_with_enhancing_tumour():
    (sentence,) = contradictions_with(load_task("brats-meningioma-radiotherapy"), prediction__min_enhancing_mm3=50)
    assert sentence.startswith(
        "prediction.min_enhancing_mm3: 50 is not allowed; the task brats-meningioma-radiotherapy has no"
    )


def test_a_label_map_with_a_convention_is_refused():
    (sentence,) = contradictions_with(
        load_task().with_label_map({3: 4}), cohort__labels="brats2021", cohort__label_map={3: 4}
    )
    assert "leave one out" in sentence


@pytest.mark.parametrize(
    "key", ["a", "", -1, "-1", 256, "256", True, "true", 1.0, 1.5, "1.5", "1e1", "01", "1_0", None]
)
def test_a_key_that_is_no_mask_value_is_refused(key):
    configuration = coerce_to_schema(with_changes(cohort__label_map={key: 2}), SCHEMA)
    assert schema_errors(configuration, SCHEMA) == []
    with pytest.raises(UserError, match=r"^cohort.label_map: .* is not a mask value, which is a whole"):
        load_configured_task(configuration["cohort"], TASK_SCHEMA)
    (sentence,) = contradictions_with(score__label_map={key: 2})
    assert sentence.startswith("score.label_map: ")


@pytest.mark.parametrize("label", ["two", 1.5, True, -1, None, 16])
def test_a_value_that_is_no_label_is_refused(label):
    (sentence,) = schema_errors(coerce_to_schema(with_changes(cohort__label_map={7: label}), SCHEMA), SCHEMA)
    assert sentence.startswith("cohort.label_map.7: ")


def test_keys_may_be_text_and_must_be_unique():
    assert parse_label_map({"1": 2, 0: 0, "255": 1}, "key") == {1: 2, 0: 0, 255: 1}
    with pytest.raises(UserError, match=r"^key: the value 1 occurs twice"):
        parse_label_map({1: 2, "1": 3}, "key")


@pytest.mark.parametrize("maps", [{"1": 2}, {1: 2}])
def test_keys_as_text_and_numbers_plan_the_same(maps):
    configuration = with_changes(cohort__label_map=maps, score__label_map=[maps, None])
    result = fill_task_defaults(configuration, load_task())
    assert result["cohort"]["label_map"] == {1: 2}
    assert result["score"]["label_map"] == [{1: 2}, None]


def test_the_task_fills_in_missing_values():
    task = load_task("brats-glioma-post-treatment")
    result = fill_task_defaults(
        with_changes(prediction__remove_components={"ET": 50}, figures__colours={"label_4": "#111111"}), task
    )
    assert result["model"]["classes"] == 5
    assert result["prediction"]["remove_components"] == {"WT": 0, "TC": 0, "ET": 50, "RC": 0}
    assert set(result["figures"]["colours"]) == set(task.label_structures)
    assert result["figures"]["colours"]["label_4"] == "#111111"


def test_a_label_map_without_spaces_is_refused_with_a_hint():
    given = yaml.safe_load("{1:2, 2:1}")  # times of day to YAML, without values
    first, second = schema_errors(coerce_to_schema(with_changes(score__label_map=given), SCHEMA), SCHEMA)
    assert all(sentence.endswith("write a space after each colon, as in {1: 2})") for sentence in (first, second))
