import copy

import pytest
import yaml

from tests.support.builders import REPOSITORY, TASK
from tumorseg.configuration.constraints import contradiction_errors, fold_count_error, unknown_viewer_cases_error
from tumorseg.task import load_task

DEFAULTS = yaml.safe_load((REPOSITORY / "config.yaml").read_text())


def contradictions_with(**changes):
    """Return the contradictions of the defaults with some changes, which are written `section__key=value`."""
    configuration = copy.deepcopy(DEFAULTS)
    for name, value in changes.items():
        section, key = name.split("__")
        configuration[section][key] = value
    return contradiction_errors(configuration, TASK)


def test_the_defaults_have_no_contradictions():
    assert contradiction_errors(DEFAULTS, TASK) == []


@pytest.mark.parametrize(
    ("task", "prepare", "words"),
    [
        ("brats-meningioma-radiotherapy", "full", "show the whole head"),
        ("decathlon-brain-tumour", "auto", "all channels in one 4D file"),
    ],
)
def test_cases_that_cannot_be_prepared_are_refused(task, prepare, words):
    configuration = copy.deepcopy(DEFAULTS)
    configuration["cohort"]["prepare"] = prepare
    (sentence,) = contradiction_errors(configuration, load_task(task))
    assert words in sentence
    assert sentence.startswith("cohort.prepare: ")


def test_the_demo_is_not_prepared():
    (sentence,) = _with_demo("full")
    assert sentence.startswith("cohort.prepare: the cases of the demo")
    assert _with_demo("auto") == []


def _with_demo(prepare: str) -> list[str]:
    configuration = {**copy.deepcopy(DEFAULTS), "demo": {"cases": 8, "spacing_mm": 6, "seed": 1}}
    configuration["cohort"]["prepare"] = prepare
    return contradiction_errors(configuration, TASK)


@pytest.mark.parametrize("colour", ["#D55E00", "#d55e00", "#d55E00"])
def test_two_labels_with_the_same_colour_are_refused(colour):
    colours = {**DEFAULTS["figures"]["colours"], "label_4": colour}
    (sentence,) = contradictions_with(figures__colours=colours)
    assert (
        sentence
        == f"figures.colours.label_4: {colour} is already the colour of label_1; give each label its own colour"
    )


def test_the_default_colour_of_another_label_is_refused():
    (sentence,) = contradictions_with(figures__colours={"label_1": "#56b4e9"})
    assert (
        sentence == "figures.colours.label_1: #56b4e9 is already the colour of label_2; give each label its own colour"
    )


@pytest.mark.parametrize(
    ("epochs", "interval", "folds", "suggested"), [(9999, 1, 1, 4), (1000, 1, 5, 2), (3, 1, 100, None), (301, 1, 10, 2)]
)
def test_too_many_checkpoints_are_refused_with_a_valid_interval(epochs, interval, folds, suggested):
    changes = {"training__epochs": epochs, "cohort__folds": folds}
    if suggested is None:
        assert contradictions_with(training__epochs_per_checkpoint=interval, **changes) == []
        return
    (sentence,) = contradictions_with(training__epochs_per_checkpoint=interval, **changes)
    assert f"set training.epochs_per_checkpoint to {suggested} or more" in sentence
    assert contradictions_with(training__epochs_per_checkpoint=suggested, **changes) == []


def test_a_learning_curve_from_0_cases_needs_a_start_model():
    assert contradictions_with(learning_curve__cases=[0, 2], training__start_from="start.safetensors") == []
    assert contradictions_with(learning_curve__cases=[0, 2]) == [
        "learning_curve.cases: 0 is the start model as it is, but training.start_from is null; leave 0 out, or set "
        "training.start_from"
    ]


def test_synthetic_cases_need_a_voxel_size_and_a_task_that_can_be_simulated():
    assert contradictions_with(training__synthetic_fraction=0.5, normalisation__spacing_mm=2) == []
    (sentence,) = contradictions_with(training__synthetic_fraction=0.5)
    assert sentence == (
        "training.synthetic_fraction: normalisation.spacing_mm is null: synthetic cases need one number from 1 to 8, "
        "such as 2"
    )
    configuration = {**DEFAULTS, "training": {**DEFAULTS["training"], "synthetic_fraction": 0.5}}
    (sentence,) = contradiction_errors(configuration, load_task("brats-paediatric"))
    assert sentence.startswith("training.synthetic_fraction: task brats-paediatric: label 3 ")


def test_a_warm_up_that_leaves_no_time_for_the_decay_is_refused():
    assert contradictions_with(training__warmup_epochs=99.5, training__schedule="cosine") == []
    assert contradictions_with(training__warmup_epochs=100) == []  # the default schedule is constant
    (sentence,) = contradictions_with(training__warmup_epochs=100, training__schedule="cosine")
    assert sentence.startswith("training.warmup_epochs: 100 is not allowed; ")
    assert sentence.endswith("less than training.schedule_epochs, 100")


def test_too_many_candidates_of_postprocessing_are_refused():
    assert contradictions_with(postprocessing__remove_components_mm3=list(range(1, 8))) == []  # 8³ x 4 x 2
    (sentence,) = contradictions_with(postprocessing__remove_components_mm3=list(range(1, 9)))
    assert sentence.startswith("postprocessing: these volumes make 5,832 combinations, but at most 5,000 are allowed")


def test_more_folds_than_case_folders_are_refused():
    assert fold_count_error(6, 6, "data") is None
    sentence = fold_count_error(7, 6, "data")
    assert sentence == "cohort.folds: 7 folds need at least 7 patients, but data holds 6 case folders"
    assert fold_count_error(1, 2, "data") is None
    assert "data holds 1 case folder; at least 2" in fold_count_error(1, 1, "data")


def test_unknown_viewer_cases_are_refused():
    available = {"BraTS-GLI-00001-000", "BraTS-GLI-00002-000"}
    assert unknown_viewer_cases_error(["BraTS-GLI-00002-000"], available, "data") is None
    assert "did you mean BraTS-GLI-00001-000?" in unknown_viewer_cases_error(["BraTS-GLI-00001-00"], available, "data")
    sentence = unknown_viewer_cases_error(["x", "y"], available, "data")
    assert sentence.startswith("report.viewer_cases: data has no case folder x, y; name case folders, such as BraTS-")


@pytest.mark.parametrize(
    ("key", "sides", "depth", "sentence"),
    [
        (
            "training__input_shape",
            [240, 70, 160],
            3,
            "training.input_shape[1]: 70 is not allowed; with 3 down-samplings",
        ),
        ("training__input_shape", [240, 240, 8], 3, "it has to be a multiple of 8, at least 16"),
        ("prediction__window", [128, 128, 32], 5, "prediction.window[2]: 32 is not allowed; with 5 down-samplings"),
        ("training__input_shape", [64, 64, 64], 5, None),
        ("training__input_shape", [18, 18, 18], 1, None),
    ],
)
def test_sides_that_the_down_samplings_do_not_divide_are_refused(key, sides, depth, sentence):
    found = contradictions_with(**{"training__input_shape": [64, 64, 64], key: sides, "model__depth": depth})
    assert len(found) == (sentence is not None)
    assert sentence is None or sentence in found[0]
