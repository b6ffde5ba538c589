import copy
import shlex
from pathlib import Path

import pytest
import yaml
from snakemake.cli import parse_config

from tests.support.builders import REPOSITORY
from tumorseg.configuration.command_line import coerce_to_schema, expand_short_forms, target_hint, target_mistakes
from tumorseg.configuration.schema_validation import duplicate_keys, schema_errors

SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
DEFAULTS = yaml.safe_load((REPOSITORY / "config.yaml").read_text())


def converted(key: str, value):
    """Convert the value of a key `section.key` to the types of the schema."""
    section, name = key.split(".")
    return coerce_to_schema({section: {name: value}}, SCHEMA)[section][name]


def inside_braces(value):
    """Return a value as Snakemake passes it from inside braces: every number, boolean and null is text."""
    if isinstance(value, dict):
        return {key: inside_braces(part) for key, part in value.items()}
    if isinstance(value, list):
        return [inside_braces(part) for part in value]
    return value if isinstance(value, str) else yaml.safe_dump(value).splitlines()[0]


def test_all_defaults_given_as_text_become_the_values_of_the_file():
    assert coerce_to_schema(inside_braces(DEFAULTS), SCHEMA) == DEFAULTS


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("training.epochs", "5", 5),
        ("training.learning_rate", "0.01", 0.01),
        ("training.learning_rate", "1e-3", 0.001),
        ("training.learning_rate", "1", 1),
        ("training.gradient_clip", "null", None),
        ("training.deterministic", "true", True),
        ("training.deterministic", "False", False),
        ("training.input_shape", ["48", "48", "32"], [48, 48, 32]),
        ("normalisation.clip_percentiles", ["1", "99.5"], [1, 99.5]),
        ("prediction.remove_components", {"WT": "50", "TC": "0", "ET": "1e1"}, {"WT": 50, "TC": 0, "ET": 10}),
        ("model.classes", "5", 5),
        ("report.viewer_cases", "2", 2),
        ("cohort.split_file", "null", None),
        ("cohort.shape", "null", None),
    ],
)
def test_text_becomes_the_type_of_the_schema(key, text, value):
    result = converted(key, text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("training.epochs", "three"),
        ("training.epochs", "3.0"),
        ("training.epochs", "5 # more"),
        ("training.epochs", "true"),
        ("training.epochs", "null"),
        ("training.epochs", "2020-01-01"),
        ("training.learning_rate", "0.1.2"),
        ("training.precision", "32"),
        ("training.augmentation", "flip"),
        ("cohort.root", "5"),
        ("cohort.root", "null"),
        ("report.viewer_cases", ["5", "true"]),
        ("segment.models", ["1e3"]),
    ],
)
def test_other_text_and_text_for_a_text_key_stay(key, text):
    assert converted(key, text) == text


@pytest.mark.parametrize("text", [".nan", ".inf", "-.INF"])
def test_numbers_given_as_text_must_be_finite(text):
    configuration = copy.deepcopy(DEFAULTS)
    configuration["training"]["learning_rate"] = text
    (sentence,) = schema_errors(coerce_to_schema(configuration, SCHEMA), SCHEMA)
    assert sentence.startswith("training.learning_rate: ")


@pytest.mark.parametrize(
    "key",
    ["cohort.root", "cohort.split_file", "segment.cases", "segment.models", "score.predictions", "score.references"],
)
def test_a_tilde_becomes_the_home_folder(key, monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    assert converted(key, "~/folder") == "/home/someone/folder"
    assert converted(key, "a/~") == "a/~"


def test_a_tilde_in_a_list_or_of_another_user_becomes_a_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    assert converted("segment.models", ["~/a", "b"]) == ["/home/someone/a", "b"]
    assert converted("cohort.root", "~root/data") == str(Path("~root/data").expanduser())


@pytest.mark.parametrize(
    ("short", "section", "key"),
    [
        ("data", "cohort", "root"),
        ("patients", "segment", "cases"),
        ("predictions", "score", "predictions"),
        ("references", "score", "references"),
    ],
)
def test_a_short_form_sets_its_key(short, section, key):
    result = expand_short_forms({**DEFAULTS, short: "folder"}, {short: "folder"})
    assert result == {**DEFAULTS, section: {**DEFAULTS[section], key: "folder"}}


def test_a_short_form_overrides_a_file_and_must_not_contradict_the_command_line():
    merged = {**DEFAULTS, "cohort": {**DEFAULTS["cohort"], "root": "from a file"}, "data": "here"}
    assert expand_short_forms(merged, {"data": "here"})["cohort"]["root"] == "here"
    assert expand_short_forms(merged, {"data": "here", "cohort": {"root": "here"}})["cohort"]["root"] == "here"
    with pytest.raises(ValueError, match=r"both data \(here\) and cohort.root \(there\)"):
        expand_short_forms(merged, {"data": "here", "cohort": {"root": "there"}})


@pytest.mark.parametrize("command_line", [{"data": "here"}, {"cohort": {"root": "here"}}])
def test_a_folder_on_the_command_line_is_refused_if_a_sample_sheet_is_set(command_line):
    cohort = {**DEFAULTS["cohort"], "samples": "s.tsv", **command_line.get("cohort", {})}
    configuration = {**DEFAULTS, **command_line, "cohort": cohort}
    with pytest.raises(ValueError, match=r"cohort\.samples \(s\.tsv\) is read instead of the folder here; add"):
        expand_short_forms(configuration, command_line)
    configuration["cohort"]["samples"] = "null"
    assert expand_short_forms(configuration, command_line)["cohort"]["root"] == "here"


def test_a_folder_of_patients_is_refused_if_their_sample_sheet_is_set():
    segment = {**DEFAULTS["segment"], "samples": "s.tsv"}
    with pytest.raises(ValueError, match=r"segment\.samples \(s\.tsv\) is read instead of the folder here; add"):
        expand_short_forms({**DEFAULTS, "patients": "here", "segment": segment}, {"patients": "here"})


def test_a_short_form_for_an_importing_workflow_changes_nothing():
    assert expand_short_forms(DEFAULTS, {"data": "here"}) == DEFAULTS


def test_a_short_form_in_a_file_is_an_unknown_key():
    (sentence,) = schema_errors(expand_short_forms({**DEFAULTS, "data": "here"}, {}), SCHEMA)
    assert sentence.startswith("data: there is no such key")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cohort:\n  root: a\n  seed: 1\n  root: b\n", ["cohort.root: this key is in line 2 and again in line 4"]),
        ("cohort: {root: a}\ncohort: {seed: 1}\n", ["cohort: this key is in line 1 and again in line 2"]),
        ('{"a": {"b": 1, "b": 2}}', ["a.b: "]),
        ("cohort: {root: a}\nsegment: {cases: a}\n", []),
        ("", []),
        ("[a, b]", []),
        ("a: {b", []),
    ],
)
def test_duplicate_keys_are_found(text, found):
    sentences = duplicate_keys(text)
    assert len(sentences) == len(found)
    assert all(sentence.startswith(start) for sentence, start in zip(sentences, found, strict=True))


def test_a_setting_among_the_targets_is_reported():
    (sentence,) = target_mistakes(["validate", "data=cases"], {})
    assert sentence == "data=cases is a setting, not a target: write --config data=cases, after all targets"


@pytest.mark.parametrize(
    ("targets", "short_form", "target"),
    [([], "patients", "segment"), (["all"], "references", "score"), (["segment"], "predictions", "score")],
)
def test_a_folder_that_no_target_reads_is_reported(targets, short_form, target):
    (sentence,) = target_mistakes(targets, {short_form: "a folder"})
    assert sentence.endswith(f"write: snakemake {target} --config {short_form}=DIR")


@pytest.mark.parametrize("targets", [["segment"], ["report", "segment"], ["results/segmentations"]])
def test_a_folder_that_a_target_reads_is_not_a_mistake(targets):
    assert target_mistakes(targets, {"patients": "a folder", "data": "cases"}) == []


def test_an_unknown_target_is_reported_with_a_similar_one():
    assert target_hint("trian", ["train", "split"]) == "Did you mean train? `snakemake help` lists the targets."
    assert target_hint("xyz", ["train", "split"]) == "`snakemake help` lists the targets."


def test_a_setting_instead_of_a_target_is_reported():
    assert target_hint("data=cases", ["train"]) == "It is a setting: write --config data=cases, after all targets."


@pytest.mark.parametrize(
    ("setting", "suggested", "section", "key", "value"),
    [
        ("data=my cases", "data='my cases'", "cohort", "root", "my cases"),
        ("cohort.root=cases", "data=cases", "cohort", "root", "cases"),
        ("segment.cases=new", "patients=new", "segment", "cases", "new"),
        ("cohort.folds=3", "cohort='{folds: 3}'", "cohort", "folds", 3),
        (
            "training.input_shape=[48, 48, 32]",
            "training='{input_shape: [48, 48, 32]}'",
            "training",
            "input_shape",
            [48, 48, 32],
        ),
        ("cohort.samples=a,b: c.tsv", """cohort='{samples: "a,b: c.tsv"}'""", "cohort", "samples", "a,b: c.tsv"),
        ("cohort.task=a # b", """cohort='{task: "a # b"}'""", "cohort", "task", "a # b"),
        (
            "prediction.remove_components.WT=50",
            "prediction='{remove_components: {WT: 50}}'",
            "prediction",
            "remove_components",
            {"WT": 50},
        ),
    ],
)
def test_snakemake_reads_the_setting_as_the_hint_writes_it(setting, suggested, section, key, value):
    assert target_hint(setting, ["train"]) == f"It is a setting: write --config {suggested}, after all targets."
    assert target_mistakes([setting], {})[0].endswith(f"write --config {suggested}, after all targets")
    read = parse_config(shlex.split(suggested))
    configuration = expand_short_forms({**DEFAULTS, **read}, read)
    assert coerce_to_schema(configuration, SCHEMA)[section][key] == value
