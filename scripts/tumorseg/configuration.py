"""Mistakes in the configuration, each told in one sentence that names the key and what is allowed."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, cast

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

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
    "multipleOf": "a multiple of {}",
}
# JSON schema takes 3.0 for an integer; Python's range does not.
_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int),
)


def mistakes(configuration: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """One sentence for each mistake in a configuration, ordered by key; none if it follows the JSON schema."""
    errors = sorted(
        _Validator(schema).iter_errors(configuration), key=lambda error: list(map(str, error.absolute_path))
    )
    return [sentence for error in errors for sentence in _sentences(error)]


def _sentences(error: ValidationError) -> Iterator[str]:
    place, schema = _key(error), cast(dict[str, Any], error.schema)
    if error.validator == "additionalProperties":
        allowed = list(schema["properties"])
        for name in sorted(set(cast(dict[str, Any], error.instance)) - set(allowed), key=str):
            close = get_close_matches(str(name), allowed, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            there = f"{place or 'the top level'} has {', '.join(allowed)}"
            yield f"{_join(place, name)}: there is no such key; {hint}{there}"
    elif error.validator == "required":
        missing = [name for name in schema["required"] if name not in cast(dict[str, Any], error.instance)]
        yield from (f"{_join(place, name)}: this key is missing" for name in missing)
    else:
        value = error.instance
        yield f"{place}: {value!r} is not allowed; it has to be {allowed_by(schema)}{_hint(value)}"


def allowed_by(schema: dict[str, Any]) -> str:
    """What a schema of a single key allows, in words: `a whole number, at least 8, a multiple of 8`."""
    if "enum" in schema:
        return "one of " + ", ".join("null" if value is None else str(value) for value in schema["enum"])
    if "pattern" in schema:
        return str(schema["description"])
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    words = [_container(name, schema) if name in ("array", "object") else _TYPES[name] for name in types]
    limits = [text.format(schema[name]) for name, text in _LIMITS.items() if name in schema]
    return ", ".join([" or ".join(words), *limits])


def _container(name: str, schema: dict[str, Any]) -> str:
    if name == "object":
        return f"a section with the keys {', '.join(schema['properties'])}"
    if "prefixItems" in schema:
        return "a list of " + " and ".join(allowed_by(item) for item in schema["prefixItems"])
    length = f"{schema['minItems']} " if schema.get("minItems") == schema.get("maxItems", -1) else ""
    return f"a list of {length}items, each {allowed_by(schema['items'])}"


def _hint(value: Any) -> str:
    """Numbers that arrive as text: YAML's 1e-3 without a point, and all within a section given with --config."""
    try:
        number = float(value) if isinstance(value, str) else None
    except ValueError:
        number = None
    if number is None:
        return ""
    if "e" in value.lower():
        return f" (YAML reads {value} as text: write {number:g} with a point)"
    return " (Snakemake reads what is nested in --config as text: put it in a file and give that with --configfile)"


def _key(error: ValidationError) -> str:
    key = ""
    for part in error.absolute_path:
        key = f"{key}[{part}]" if isinstance(part, int) else _join(key, part)
    return key


def _join(place: str, name: object) -> str:
    return f"{place}.{name}" if place else str(name)
