"""The dataclasses of the configuration's sections, config.yaml, its schema and the reference page say the same."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
import yaml

from tests.support.builders import REPOSITORY
from tumorseg.configuration import settings
from tumorseg.configuration.renamed import RENAMED
from tumorseg.documentation.configuration_page import DEFAULTS, PAGE, SCHEMA, comments_of, reference_page
from tumorseg.inference.postprocessing import STEPS
from tumorseg.inference.predictor import PredictionSettings
from tumorseg.networks.base import Architecture
from tumorseg.plotting.style import FigureSettings
from tumorseg.training.settings import TrainingSettings

SECTIONS: dict[str, tuple[type, ...]] = {
    "cohort": (settings.CohortSettings,),
    "demo": (settings.DemoSettings,),
    "normalisation": (settings.NormalisationSettings,),
    "model": (Architecture,),
    "training": (TrainingSettings, settings.TrainingRunSettings),
    "checkpoint": (settings.CheckpointSettings,),
    "prediction": (PredictionSettings,),
    "evaluation": (settings.EvaluationSettings,),
    "figures": (FigureSettings,),
    "report": (settings.ReportSettings,),
    "segment": (settings.SegmentSettings,),
    "score": (settings.ScoreSettings,),
}
OF_TASK = {"channels"}
"""Fields that no key of the configuration sets."""
FILLED_IN = {"classes"}
"""Keys whose null becomes the task's value before anything reads them."""
JSON_TYPES = {int: "integer", float: "number", str: "string", bool: "boolean", NoneType: "null", tuple: "array"}


@dataclass
class Sources:
    """What has to agree. types: of the fields of each section."""

    defaults: dict[str, Any]
    schema: dict[str, Any]
    types: dict[str, dict[str, Any]]


@pytest.fixture
def sources() -> Sources:
    types = {
        section: {
            field.name: get_type_hints(kind)[field.name]
            for kind in kinds
            for field in fields(kind)
            if field.name not in OF_TASK
        }
        for section, kinds in SECTIONS.items()
    }
    # Each step of the post-processing is given its own setting as the third argument.
    types["prediction"] |= {step.name: list(get_type_hints(step.run).values())[2] for step in STEPS}
    # Where settings are recorded with a result, a field keeps the old name of a renamed key.
    for section, names in types.items():
        types[section] = {RENAMED.get(f"{section}.{name}", name): annotation for name, annotation in names.items()}
    defaults, schema = (yaml.safe_load((REPOSITORY / file).read_text()) for file in (DEFAULTS, SCHEMA))
    return Sources(defaults, copy.deepcopy(schema), types)


def allowed(annotation: Any) -> set[Any]:
    """What a field may hold: names of JSON types, and the values of a Literal."""
    origin = get_origin(annotation) or annotation
    if origin in (Union, UnionType):
        return set().union(*map(allowed, get_args(annotation)))
    if origin is Literal:
        return set(get_args(annotation))
    return {"object"} if origin in (dict, Mapping) else {JSON_TYPES[origin]}


def asked(schema: dict[str, Any], key: str, annotation: Any) -> set[Any]:
    """What the schema of a key allows, in the same words. A field that is plain text takes the values of a registry."""
    if "enum" in schema:
        return {"string"} if annotation is str else set(schema["enum"])
    types = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
    return types - {"null"} if key in FILLED_IN else types


def disagreements(sources: Sources) -> list[str]:
    """One sentence for each key that a file lacks or says otherwise."""
    found = []
    for section, kinds in SECTIONS.items():
        names, schema = " or ".join(kind.__name__ for kind in kinds), sources.schema["properties"][section]
        modules = " or ".join(kind.__module__ for kind in kinds)
        there = {
            f"{DEFAULTS}: add a line to the section": sources.defaults[section],
            f"{SCHEMA}: add it to the properties of": schema["properties"],
            f"{SCHEMA}: add it to `required` of": schema["required"],
            f"{modules}: add a field to {names}, section": sources.types[section],
        }
        if sources.defaults[section] is None:
            del there[f"{DEFAULTS}: add a line to the section"]  # that of the demo is null, and has no keys
        for key in dict.fromkeys(key for keys in there.values() for key in keys):
            lacking = [
                f"{section}.{key} is missing in {file} {section}" for file, keys in there.items() if key not in keys
            ]
            found += lacking
            if lacking:
                continue
            annotation, part = sources.types[section][key], schema["properties"][key]
            if allowed(annotation) != asked(part, key, annotation):
                found.append(f"{section}.{key}: the field in {names} is {annotation}, and {SCHEMA} has another type")
    return found


def test_fields_defaults_and_schema_agree(sources):
    assert disagreements(sources) == []


def test_the_sections_are_those_of_the_files(sources):
    assert list(SECTIONS) == list(sources.defaults) == sources.schema["required"] == list(sources.schema["properties"])


@pytest.mark.parametrize(
    ("forget", "said"),
    [
        (lambda of: of.defaults["training"].pop("epochs"), "training.epochs is missing in config.yaml: add a line"),
        (lambda of: of.schema["properties"]["training"]["properties"].pop("epochs"), "add it to the properties of"),
        (
            lambda of: of.schema["properties"]["training"]["required"].remove("epochs"),
            "add it to `required` of",
        ),
        (lambda of: of.types["training"].pop("epochs"), "settings: add a field to TrainingSettings or TrainingRun"),
        (lambda of: of.types["training"].update(epochs=float), "the field in TrainingSettings or"),
        (lambda of: of.types["checkpoint"].update(select=Literal["last"]), "the field in CheckpointSettings is"),
        (lambda of: of.types["segment"].update(cases=str), "the field in SegmentSettings is"),
    ],
)
def test_what_was_forgotten_is_told_with_its_file(sources, forget, said):
    forget(sources)
    (sentence,) = disagreements(sources)
    assert said in sentence


def test_a_whole_configuration_becomes_objects(sources):
    read = settings.Settings.from_config({**sources.defaults, "demo": {"cases": 6, "spacing_mm": 3, "seed": 1}})
    assert read.normalisation.clip_percentiles == (0.5, 99.5)
    assert read.demo == settings.DemoSettings(6, 3, 1)
    assert settings.Settings.from_config(sources.defaults).demo is None
    with pytest.raises(TypeError, match="folds"):
        settings.read_section(settings.CheckpointSettings, {"select": "last", "folds": 2})


def test_the_reference_page_is_as_the_files_say():
    stale = f"{PAGE} is stale: run `make docs`"
    assert (REPOSITORY / PAGE).read_text(encoding="utf-8") == reference_page(REPOSITORY), stale


def test_comments_belong_to_their_keys_whole():
    text = "# of nothing\ncohort:   # cases\n  root: data  # folder\n             # of folders\n  seed: 1\ndemo: null\n"
    assert comments_of(text) == {"cohort": "cases", "cohort.root": "folder of folders"}
