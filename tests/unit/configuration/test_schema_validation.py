import copy
from collections.abc import Iterator

import pytest
import yaml

from tests.support.builders import REPOSITORY
from tumorseg.configuration.schema_validation import RENAMED_KEYS, schema_errors

SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
DEFAULTS = yaml.safe_load((REPOSITORY / "config.yaml").read_text())


def mistakes_with(key: str, value) -> list[str]:
    configuration = copy.deepcopy(DEFAULTS)
    *sections, name = key.split(".")
    part = configuration
    for section in sections:
        part = part[section]
    part[name] = value
    return schema_errors(configuration, SCHEMA)


def test_the_defaults_have_no_mistake():
    assert schema_errors(DEFAULTS, SCHEMA) == []


@pytest.mark.parametrize(
    "name", ["demo", "recipes/minutes", "recipes/random_weights", "recipes/long", "recipes/starter"]
)
def test_the_supplied_configurations_have_no_mistake(name):
    changes = yaml.safe_load((REPOSITORY / f"workflow/{name}.yaml").read_text())
    sections = {
        section: {**DEFAULTS[section], **content} if DEFAULTS[section] else content
        for section, content in changes.items()
    }
    assert schema_errors({**DEFAULTS, **sections}, SCHEMA) == []


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("training.epochz", 3, ["training.epochz", "no such key", "did you mean epochs?"]),
        ("cohrt", {}, ["cohrt", "no such key", "did you mean cohort?"]),
        ("training.epochs", "three", ["training.epochs", "'three'", "a whole number from 1 to 9999"]),
        ("training.epochs", 0, ["training.epochs", "0 is not allowed", "from 1 to"]),
        ("training.epochs", 3.0, ["training.epochs", "a whole number"]),
        ("training.epochs", True, ["training.epochs", "true is not", "a whole number"]),
        ("training.input_shape", [240, 8, 160], ["training.input_shape[1]", "8", "from 16 to 512"]),
        ("training.input_shape", [240, 240], ["training.input_shape", "a list of 3 items"]),
        ("training.precision", "fp8", ["training.precision", "one of auto, fp16, bf16, fp32"]),
        ("training.learning_rate", 1e300, ["training.learning_rate: 1e+300 is not allowed", "from 1e-08 to 1"]),
        ("training.threads", 1_000_000, ["training.threads: 1000000 is not allowed", "from 1 to 256"]),
        ("training.seed", 2**63, ["training.seed", "to 9223372036854775807"]),
        ("cohort.root", "", ["cohort.root", "the path of a folder"]),
        ("cohort.root", "a {b}", ["cohort.root", "without braces"]),
        ("cohort.split_file", "a {b}", ["cohort.split_file", "or control characters, or null"]),
        ("cohort.split_file", 3, ["cohort.split_file", "the path of a table"]),
        ("normalisation.clip_percentiles", [99, 1], ["normalisation.clip_percentiles[0]", "less than 50"]),
        ("normalisation.clip_percentiles", [50, 50], ["clip_percentiles[0]", "clip_percentiles[1]"]),
        ("normalisation.clip_percentiles", [1, 100.5], ["normalisation.clip_percentiles[1]", "at most 100"]),
        (
            "normalisation.spacing_mm",
            0,
            ["normalisation.spacing_mm: 0 is not allowed", "a number from 0.2 to 10 or null"],
        ),
        ("normalisation.spacing_mm", [2, 2], ["normalisation.spacing_mm: [2, 2] is not", "a list of 3 items"]),
        ("normalisation.spacing_mm", [2, 2, "x"], ["normalisation.spacing_mm[2]: 'x'", "a number from 0.2 to 10"]),
        ("figures.colours.label_1", "red", ["figures.colours.label_1", "#0072B2"]),
        ("cohort", None, ["cohort: null", "a section with the keys task", "a key without a value is null"]),
        ("cohort", ["root"], ['cohort: ["root"] is not allowed', "a section with the keys task"]),
        ("cohort.root", 2023, ["cohort.root: 2023", "put it in quotes, or write ./2023"]),
        ("cohort.root", "a\0b", ["cohort.root", "control characters"]),
        ("report.viewer_cases", ["a", "a"], ["report.viewer_cases", "no two of them equal"]),
        ("report.viewer_cases", 13, ["a whole number from 0 to 12 or a list of 1 to 12 items"]),
        ("root", "data", ["root: ", "did you mean cohort.root?", "--config cohort='{root: data}'"]),
        ("seed", 5, ["did you mean cohort.seed or demo.seed or training.seed or evaluation.seed?"]),
        ("cohort.root:data", "", ["cohort.root:data: there is no such key; write root: data, with a space after"]),
        ("training.epochs=5", "", ["training.epochs=5: there is no such key; write epochs: 5, with a space after"]),
        ("cohort.batches", 4, ["cohort.batches: this key is now called cohort.shards; rename it"]),
        ("epoch", 5, ["did you mean training.epochs or learning_curve.epochs?", "--config training='{epochs: 5}'"]),
    ],
)
def test_a_mistake_is_reported_with_key_value_and_allowed_values(key, value, expected):
    sentences = mistakes_with(key, value)
    assert all(any(part in sentence for sentence in sentences) for part in expected)


def test_a_missing_key_is_reported():
    configuration = copy.deepcopy(DEFAULTS)
    del configuration["training"]["epochs"]
    assert schema_errors(configuration, SCHEMA) == ["training.epochs: this key is missing"]


def test_all_mistakes_are_reported_at_once():
    configuration = copy.deepcopy(DEFAULTS)
    configuration["training"]["epochs"] = 0
    configuration["cohort"]["folds"] = "two"
    assert len(schema_errors(configuration, SCHEMA)) == 2


def numbers(schema: dict, place: str = "") -> Iterator[tuple[str, dict]]:
    """Yield each key that may be a number, with its schema."""
    for name, part in schema.get("properties", {}).items():
        full = f"{place}.{name}" if place else name
        types = part.get("type", [])
        if {"integer", "number"} & set([types] if isinstance(types, str) else types):
            yield full, part
        yield from numbers(part, full)


NUMBERS = [item for item in numbers(SCHEMA) if not item[0].startswith("demo")]


@pytest.mark.parametrize(("key", "schema"), NUMBERS, ids=[key for key, _ in NUMBERS])
def test_every_number_has_limits_and_must_be_finite(key, schema):
    assert {"minimum", "exclusiveMinimum"} & set(schema)
    for value in (float("nan"), float("inf"), -float("inf"), 10**30, -1):
        assert any(sentence.startswith(f"{key}: ") for sentence in mistakes_with(key, value)), value


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("training.input_shape", [16, float("nan"), 16], "training.input_shape[1]: .nan is not allowed"),
        ("normalisation.clip_percentiles", [float("nan"), 99], "normalisation.clip_percentiles[0]: .nan is not"),
        ("normalisation.clip_percentiles", [1, float("inf")], "normalisation.clip_percentiles[1]: .inf is not"),
        ("prediction.remove_components", {"WT": float("nan"), "TC": 0, "ET": 0}, "prediction.remove_components.WT: "),
        ("cohort.shape", [240, 240, 10**9], "cohort.shape[2]: 1000000000 is not allowed"),
        ("prediction.window", [128, 128, 1_000_000], "prediction.window[2]: 1000000 is not allowed"),
    ],
)
def test_numbers_in_lists_and_sections_are_validated(key, value, sentence):
    assert mistakes_with(key, value)[0].startswith(sentence)


def test_a_long_value_is_shortened():
    (sentence,) = mistakes_with("training.precision", "fp" * 5000)
    assert len(sentence) < 300


@pytest.mark.parametrize(("old", "new"), RENAMED_KEYS.items())
def test_an_old_key_is_refused_with_its_new_name(old, new):
    section, _, key = old.partition(".")
    changed = {**DEFAULTS, section: {**DEFAULTS[section], key: DEFAULTS[section][new]}}
    assert schema_errors(changed, SCHEMA) == [f"{old}: this key is now called {section}.{new}; rename it"]


def test_the_changelog_lists_every_renamed_key():
    text = (REPOSITORY / "CHANGELOG.md").read_text()
    for old, new in RENAMED_KEYS.items():
        assert f"| `{old}` | `{old.partition('.')[0]}.{new}` |" in text
