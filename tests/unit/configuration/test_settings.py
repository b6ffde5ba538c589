"""The dataclasses of the configuration, config.yaml, its schema and the reference page agree."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
import yaml

from tests.support.builders import REPOSITORY
from tumorseg.configuration import settings
from tumorseg.configuration.schema_validation import RENAMED_KEYS
from tumorseg.documentation.configuration_page import DEFAULTS, PAGE, SCHEMA, comments_of, reference_page
from tumorseg.inference.postprocessing import STEPS
from tumorseg.inference.predictor import PredictionSettings
from tumorseg.networks.base import Architecture
from tumorseg.plotting.style import FigureSettings
from tumorseg.training.recipe import TrainingSettings

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
    "postprocessing": (settings.PostprocessingSettings,),
    "learning_curve": (settings.LearningCurveSettings,),
    "segment": (settings.SegmentSettings,),
    "score": (settings.ScoreSettings,),
}
OF_TASK = {"channels"}
"""Fields that no key of the configuration sets."""
FILLED_IN = {"classes"}
"""Keys whose null is replaced by the task's value before they are read."""
JSON_TYPES = {int: "integer", float: "number", str: "string", bool: "boolean", NoneType: "null", tuple: "array"}


@dataclass
class Sources:
    """The sources to compare. `types` has the types of the fields of each section."""

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
    # The third argument of each post-processing step is its setting.
    types["prediction"] |= {step.name: list(get_type_hints(step.run).values())[2] for step in STEPS}
    # Dataclasses of settings that results record keep the old names of renamed keys.
    for section, names in types.items():
        types[section] = {RENAMED_KEYS.get(f"{section}.{name}", name): annotation for name, annotation in names.items()}
    defaults, schema = (yaml.safe_load((REPOSITORY / file).read_text()) for file in (DEFAULTS, SCHEMA))
    return Sources(defaults, copy.deepcopy(schema), types)


def allowed_by_field(annotation: Any) -> set[Any]:
    """Return the values that a field may have: names of JSON types, or the values of a Literal."""
    origin = get_origin(annotation) or annotation
    if origin in (Union, UnionType):
        return set().union(*map(allowed_by_field, get_args(annotation)))
    if origin is Literal:
        return set(get_args(annotation))
    return {"object"} if origin in (dict, Mapping) else {JSON_TYPES[origin]}


def allowed_by_schema(schema: dict[str, Any], key: str, annotation: Any) -> set[Any]:
    """Return the values that the schema of a key allows, in the same form. A plain text field accepts any enum."""
    if "enum" in schema:
        return {"string"} if annotation is str else set(schema["enum"])
    types = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
    return types - {"null"} if key in FILLED_IN else types


def disagreements(sources: Sources) -> list[str]:
    """Return a sentence for each key that is missing in a source or differs between the sources."""
    found = []
    for section, kinds in SECTIONS.items():
        names, schema = " or ".join(kind.__name__ for kind in kinds), sources.schema["properties"][section]
        modules = " or ".join(kind.__module__ for kind in kinds)
        sources_of_keys = {
            f"{DEFAULTS}: add a line to the section": sources.defaults[section],
            f"{SCHEMA}: add it to the properties of": schema["properties"],
            f"{SCHEMA}: add it to `required` of": schema["required"],
            f"{modules}: add a field to {names}, section": sources.types[section],
        }
        if sources.defaults[section] is None:
            del sources_of_keys[f"{DEFAULTS}: add a line to the section"]  # the demo section is null by default
        for key in dict.fromkeys(key for keys in sources_of_keys.values() for key in keys):
            missing = [
                f"{section}.{key} is missing in {file} {section}"
                for file, keys in sources_of_keys.items()
                if key not in keys
            ]
            found += missing
            if missing:
                continue
            annotation, part = sources.types[section][key], schema["properties"][key]
            if allowed_by_field(annotation) != allowed_by_schema(part, key, annotation):
                found.append(f"{section}.{key}: the field in {names} is {annotation}, but {SCHEMA} has another type")
    return found


def test_fields_defaults_and_schema_agree(sources):
    assert disagreements(sources) == []


def test_the_files_have_the_same_sections(sources):
    assert list(SECTIONS) == list(sources.defaults) == sources.schema["required"] == list(sources.schema["properties"])


@pytest.mark.parametrize(
    ("remove", "expected"),
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
def test_a_missing_or_different_key_is_reported_with_its_file(sources, remove, expected):
    remove(sources)
    (sentence,) = disagreements(sources)
    assert expected in sentence


def test_a_configuration_becomes_dataclasses(sources):
    read = settings.Settings.from_config({**sources.defaults, "demo": {"cases": 6, "spacing_mm": 3, "seed": 1}})
    assert read.normalisation.clip_percentiles == (0.5, 99.5)
    assert read.demo == settings.DemoSettings(6, 3, 1)
    assert settings.Settings.from_config(sources.defaults).demo is None
    with pytest.raises(TypeError, match="folds"):
        settings.read_section(settings.CheckpointSettings, {"select": "last", "folds": 2})


def test_the_reference_page_is_current():
    stale = f"{PAGE} is stale: run `make docs`"
    assert (REPOSITORY / PAGE).read_text(encoding="utf-8") == reference_page(REPOSITORY), stale


def test_comments_of_several_lines_belong_to_their_key():
    text = "# of nothing\ncohort:   # cases\n  root: data  # folder\n             # of folders\n  seed: 1\ndemo: null\n"
    assert comments_of(text) == {"cohort": "cases", "cohort.root": "folder of folders"}
