"""Validate a configuration against its JSON schema, and find duplicate and renamed keys.

Each mistake is a sentence with the key and the allowed values.
"""

import json
import math
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final, cast

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

RENAMED_KEYS: Final = {
    "cohort.batches": "shards",
    "cohort.largest_voxels": "max_voxels",
    "normalisation.margin": "margin_voxels",
    "training.weight_averaging": "ema_decay",
    "checkpoint.choose": "select",
    "prediction.flips": "test_time_mirroring",
    "prediction.smallest_enhancing": "min_enhancing_mm3",
    "evaluation.surface_tolerance": "surface_tolerance_mm",
}
"""The new name by the old key, which includes the section."""
_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
}
_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
}
_MAX_VALUE_LENGTH: Final = 80
"""Maximum number of characters of a value in a sentence."""
# JSON Schema accepts 3.0 as an integer, which Python's range refuses; and NaN passes every limit.
_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int).redefine(
        "number", lambda _, value: type(value) is int or (type(value) is float and math.isfinite(value))
    ),
)


def schema_errors(configuration: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Validate a configuration against a JSON schema. Numbers must also be finite.

    Returns:
        A sentence for each mistake, sorted by key; empty if the configuration is valid.
    """
    errors = sorted(
        _Validator(schema).iter_errors(configuration), key=lambda error: list(map(str, error.absolute_path))
    )
    found = (sentence for error in errors for sentence in _error_sentences(error, configuration, schema))
    return list(dict.fromkeys(found))


def _error_sentences(error: ValidationError, configuration: dict[str, Any], whole: dict[str, Any]) -> Iterator[str]:
    place, schema = _key_of(error, configuration), cast(dict[str, Any], error.schema)
    if error.validator == "additionalProperties":
        content = cast(dict[str, Any], error.instance)
        for name in sorted(set(content) - set(schema["properties"]), key=str):
            yield _unknown_key_sentence(place, name, content[name], schema, whole)
    elif "propertyNames" in error.schema_path:
        yield f"{_join_key(place, error.instance)}: this key is not allowed; it has to be {schema['description']}"
    elif error.validator == "required":
        missing = [name for name in schema["required"] if name not in cast(dict[str, Any], error.instance)]
        yield from (f"{_join_key(place, name)}: this key is missing" for name in missing)
    else:
        value, in_map = error.instance, list(error.schema_path)[-2:-1] == ["additionalProperties"]
        hint = _hint(value, schema, in_map=in_map)
        yield f"{place}: {_format_value(value)} is not allowed; it has to be {describe_allowed(schema)}{hint}"


def _unknown_key_sentence(place: str, name: object, value: Any, schema: dict[str, Any], whole: dict[str, Any]) -> str:
    """Return a sentence about an unknown key, with a similar key of its section or, at the top, of any section."""
    allowed = list(schema["properties"])
    close = get_close_matches(str(name), allowed, n=1)
    similar_keys = [] if place else _matching_keys_elsewhere(str(name), whole, exactly=bool(close))
    message = f"{_join_key(place, name)}: there is no such key"
    if renamed := RENAMED_KEYS.get(_join_key(place, name)):
        return f"{_join_key(place, name)}: this key is now called {_join_key(place, renamed)}; rename it"
    if similar_keys:
        section, _, key = similar_keys[0].partition(".")
        shown = value if isinstance(value, str | int | float) else "…"
        command = f"--config {section}='{{{key}: {shown}}}'"
        return f"{message} outside a section; did you mean {' or '.join(similar_keys)}? On the command line: {command}"
    hint = f"did you mean {close[0]}? " if close else ""
    for sign in (":", "="):
        key, _, rest = str(name).partition(sign)
        if key in allowed and rest:
            hint = f"write {key}: {rest}, with a space after the colon; "
    return f"{message}; {hint}{place or 'the top level'} has {', '.join(allowed)}"


def _matching_keys_elsewhere(name: str, schema: dict[str, Any], *, exactly: bool) -> list[str]:
    """Return all keys with this name, or with the most similar one, as `section.key`."""
    keys = {section: list(part["properties"]) for section, part in schema["properties"].items() if "properties" in part}
    every = sorted({key for names in keys.values() for key in names})
    close = [name] if name in every else [] if exactly else get_close_matches(name, every, n=1)
    return [f"{section}.{key}" for key in close for section, names in keys.items() if key in names]


def describe_allowed(schema: dict[str, Any]) -> str:
    """Return the allowed values of a key in words, such as `a whole number from 1 to 256`."""
    if "enum" in schema:
        return "one of " + ", ".join("null" if value is None else str(value) for value in schema["enum"])
    if "pattern" in schema:
        return str(schema["description"])
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    words = [
        _describe_container(name, schema) if name in ("array", "object") else _describe_scalar(name, schema)
        for name in types
    ]
    return (", or " if "," in words[0] else " or ").join(words)


def _describe_scalar(name: str, schema: dict[str, Any]) -> str:
    if name not in ("integer", "number"):
        return _TYPES[name]
    if "minimum" in schema and "maximum" in schema:
        return f"{_TYPES[name]} from {schema['minimum']} to {schema['maximum']}"
    limits = [text.format(schema[limit]) for limit, text in _LIMITS.items() if limit in schema]
    return ", ".join([_TYPES[name], *limits])


def _describe_container(name: str, schema: dict[str, Any]) -> str:
    if name == "object":
        return (
            f"a section with the keys {', '.join(schema['properties'])}"
            if "properties" in schema
            else _describe_map(schema)
        )
    if "prefixItems" in schema:
        words = [describe_allowed(item) for item in schema["prefixItems"]]
        return f"a list of {len(words)} items: first {'; then '.join(words)}"
    if schema["items"].get("additionalProperties") == schema.get("additionalProperties", schema):
        return "a list of such maps or nulls"
    each = ", no two of them equal" if schema.get("uniqueItems") else ""
    return f"a list of {_describe_length(schema, 'Items', 'items')}, each {describe_allowed(schema['items'])}{each}"


def _describe_map(schema: dict[str, Any]) -> str:
    each = schema["additionalProperties"]
    text = "a section" if each.get("type") == "object" else describe_allowed(each)
    return f"a map of {_describe_length(schema, 'Properties', 'keys')}, each with {text}"


def _describe_length(schema: dict[str, Any], of: str, plural: str) -> str:
    minimum, maximum = schema.get(f"min{of}", 0), schema.get(f"max{of}")
    return f"{minimum} {plural}" if minimum == maximum else f"{minimum} to {maximum} {plural}" if maximum else plural


def _format_value(value: Any) -> str:
    """Return a value as YAML writes it, shortened."""
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    text = repr(value) if isinstance(value, str | float) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MAX_VALUE_LENGTH else f"{text[:_MAX_VALUE_LENGTH]}…"


def _hint(value: Any, schema: dict[str, Any], *, in_map: bool) -> str:
    """Return a likely cause, in parentheses. in_map: whether the user chooses the keys beside the value."""
    if value is None and in_map and schema.get("type") == "integer":
        return " (a key without a value is null; write a space after each colon, as in {1: 2})"
    if value is None:
        return " (a key without a value is null; remove it to use the default)"
    if "pattern" in schema and type(value) in (int, float):
        path = f", or write ./{value}" if schema.get("format") == "path" else ""
        return f" (YAML reads a name of digits as a number: put it in quotes{path})"
    return ""


def _key_of(error: ValidationError, configuration: Any) -> str:
    key, content = "", configuration
    for part in error.absolute_path:
        key = f"{key}[{part}]" if isinstance(content, list) else _join_key(key, part)
        content = content[part]
    return key


def _join_key(place: str, name: object) -> str:
    return f"{place}.{name}" if place else str(name)


def duplicate_keys(text: str) -> list[str]:
    """Return a message for each key that occurs twice in its section; an empty list if the text is not valid YAML."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return []
    return list(_iterate_duplicates(root, ""))


def _iterate_duplicates(node: yaml.Node | None, place: str) -> Iterator[str]:
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        full = f"{place}.{name}" if place else name
        if name in lines:
            yield f"{full}: this key is in line {lines[name]} and again in line {line}; leave one out"
        lines[name] = line
        yield from _iterate_duplicates(value, full)
