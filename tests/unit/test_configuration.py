import copy

import pytest
import yaml

from tests.helpers import REPOSITORY
from tumorseg.configuration import mistakes

SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
DEFAULTS = yaml.safe_load((REPOSITORY / "config.yaml").read_text())


def mistakes_with(key: str, value) -> list[str]:
    configuration = copy.deepcopy(DEFAULTS)
    *sections, name = key.split(".")
    part = configuration
    for section in sections:
        part = part[section]
    part[name] = value
    return mistakes(configuration, SCHEMA)


def test_the_defaults_have_no_mistake():
    assert mistakes(DEFAULTS, SCHEMA) == []


@pytest.mark.parametrize("name", ["demo", "small", "strong"])
def test_the_configurations_that_come_with_it_have_no_mistake(name):
    changes = yaml.safe_load((REPOSITORY / f"workflow/{name}.yaml").read_text())
    sections = {
        section: {**DEFAULTS[section], **content} if DEFAULTS[section] else content
        for section, content in changes.items()
    }
    assert mistakes({**DEFAULTS, **sections}, SCHEMA) == []


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("training.epochz", 3, ["training.epochz", "no such key", "did you mean epochs?"]),
        ("cohrt", {}, ["cohrt", "no such key", "did you mean cohort?"]),
        ("training.epochs", "three", ["training.epochs", "'three'", "a whole number, at least 1"]),
        ("training.epochs", 0, ["training.epochs", "0 is not allowed", "at least 1"]),
        ("training.epochs", 3.0, ["training.epochs", "a whole number"]),
        ("training.epochs", True, ["training.epochs", "True", "a whole number"]),
        ("training.input_shape", [240, 70, 160], ["training.input_shape[1]", "70", "a multiple of 8"]),
        ("training.input_shape", [240, 240], ["training.input_shape", "a list of 3 items"]),
        ("training.precision", "fp8", ["training.precision", "one of fp16, bf16, fp32"]),
        ("training.learning_rate", "1e-3", ["training.learning_rate", "write 0.001 with a point"]),
        ("training.learning_rate", "0.1", ["training.learning_rate", "give that with --configfile"]),
        ("cohort.root", "", ["cohort.root", "the path of a folder"]),
        ("cohort.root", "a {b}", ["cohort.root", "without braces"]),
        ("cohort.split_file", "a {b}", ["cohort.split_file", "without braces, or null"]),
        ("cohort.split_file", 3, ["cohort.split_file", "the path of a table"]),
        ("normalisation.clip_percentiles", [99, 1], ["normalisation.clip_percentiles[0]", "less than 50"]),
        ("figures.colours.label_1", "red", ["figures.colours.label_1", "#0072B2"]),
        ("cohort", None, ["cohort", "a section with the keys root"]),
    ],
)
def test_a_mistake_is_told_by_key_value_and_what_is_allowed(key, value, said):
    sentences = mistakes_with(key, value)
    assert all(any(part in sentence for sentence in sentences) for part in said)


def test_a_missing_key_is_named():
    configuration = copy.deepcopy(DEFAULTS)
    del configuration["training"]["epochs"]
    assert mistakes(configuration, SCHEMA) == ["training.epochs: this key is missing"]


def test_all_mistakes_are_told_at_once():
    configuration = copy.deepcopy(DEFAULTS)
    configuration["training"]["epochs"] = 0
    configuration["cohort"]["folds"] = "two"
    assert len(mistakes(configuration, SCHEMA)) == 2
