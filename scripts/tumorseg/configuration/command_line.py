"""Read the values of `--config`, expand short forms such as `data=DIR`, and find mistakes in the targets.

Snakemake passes values inside braces in `--config` as text: `training={epochs: 5}` arrives as "5". YAML 1.1 also reads
`1e-3` as text. Both are converted, so that a value plans the same jobs on the command line and in a file.
"""

import json
import os
import re
import shlex
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, Final

import yaml

from tumorseg.errors import Message

_SHORT_FORMS: Final = {
    "data": ("cohort", "root"),
    "patients": ("segment", "cases"),
    "predictions": ("score", "predictions"),
    "references": ("score", "references"),
}
"""Short forms on the command line, with the section and key of each."""
_READ_BY: Final = {"patients": "segment", "predictions": "score", "references": "score"}
"""Short forms on the command line, with the only target that reads each."""
_SCALAR: Final = re.compile(r"[\w.+~-]{0,40}", re.ASCII)
_EXPONENT: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+", re.ASCII)
_NULL: Final = ("null", "Null", "NULL")


def expand_short_forms(configuration: Mapping[str, Any], command_line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with each short form of the command line, such as `data=DIR`, under its own key.

    Args:
        configuration: of all files and the command line together.
        command_line: of `--config` alone. A short form in a file does not change, and is refused later as an unknown
            key. A short form that `configuration` lacks belongs to a workflow that imports this one, and is ignored.

    Raises:
        ValueError: the command line has a short form and its key with different values. Or it has a folder of cases or
            patients although a sample sheet is set, which replaces the folder.
    """
    result = dict(configuration)
    used = [name for name in _SHORT_FORMS if name in command_line and name in configuration]
    for short in used:
        section, key = _SHORT_FORMS[short]
        value, configured = result.pop(short), command_line.get(section)
        if isinstance(configured, Mapping) and configured.get(key, value) != value:
            raise ValueError(
                f"--config sets both {short} ({value}) and {section}.{key} ({configured[key]}): leave one out"
            )
        if isinstance(result.get(section), Mapping):
            result[section] = {**result[section], key: value}
    for short in ("data", "patients"):
        name, key = _SHORT_FORMS[short]
        content, given = result.get(name), command_line.get(name)
        has_folder = short in used or (isinstance(given, Mapping) and key in given)
        if has_folder and isinstance(content, Mapping) and content.get("samples") not in (None, *_NULL):
            raise ValueError(
                f"--config: {name}.samples ({content['samples']}) is read instead of the folder {content[key]}; add "
                f"{name}='{{samples: null}}' to read the folder, or leave the folder out"
            )
    return result


def coerce_to_schema(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return a value with the types that the schema asks for, in sections and lists too.

    Text becomes a number, boolean or null if the schema asks for one and the text is exactly one. `~` at the start of a
    path becomes the home folder. Other values stay unchanged; validation refuses them.
    """
    if isinstance(value, Mapping):
        parts, others = schema.get("properties", {}), schema.get("additionalProperties") or {}
        return {key: coerce_to_schema(part, parts.get(key, others)) for key, part in value.items()}
    if isinstance(value, list):
        firsts = schema.get("prefixItems", [])
        rest = [schema.get("items", {})] * (len(value) - len(firsts))
        return (
            [coerce_to_schema(item, part) for item, part in zip(value, [*firsts, *rest], strict=False)]
            if schema
            else value
        )
    return _coerce_scalar(value, schema) if isinstance(value, str) else value


def _coerce_scalar(text: str, schema: Mapping[str, Any]) -> Any:
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if schema.get("format") == "path":
        # Not Path.expanduser, which raises an error for `~` before an unknown user.
        return None if text in _NULL and "null" in types else os.path.expanduser(text)  # noqa: PTH111
    read = _parse_scalar(text)
    if "enum" in schema:
        return read if text not in schema["enum"] and read in schema["enum"] else text
    wanted = {
        "integer": type(read) is int,
        "number": type(read) in (int, float),
        "boolean": type(read) is bool,
        "null": read is None,
    }
    return read if any(wanted.get(name, False) for name in types) else text


def _parse_scalar(text: str) -> Any:
    """Return text as the number, boolean or null that it is in YAML, 1e-3 included; other text unchanged."""
    if _EXPONENT.fullmatch(text):
        return float(text)
    if not _SCALAR.fullmatch(text):
        return text
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text


def target_mistakes(targets: Collection[str], command_line: Mapping[str, Any]) -> list[Message]:
    """Return a sentence for each target that is a setting, and for a folder that no target reads.

    Without the second check, `snakemake --config patients=DIR` would start the whole workflow.

    Args:
        targets: of the command line; empty for the default target.
        command_line: values of `--config`.
    """
    settings = [
        f"{target} is a setting, not a target: write --config {_config_argument(target)}, after all targets"
        for target in sorted(targets)
        if "=" in target
    ]
    unread = [
        f"--config {name}: only the target {target} reads it; write: snakemake {target} --config {name}=DIR"
        for name, target in _READ_BY.items()
        if name in command_line and not any(one == target or f"results/{target}" in one for one in targets)
    ]
    return [*settings, *unread[:1]]


def target_hint(target: str, rules: Collection[str]) -> Message:
    """Return a hint for a target that does not exist.

    Args:
        target: on the command line.
        rules: names of all rules.
    """
    if "=" in target:
        return f"It is a setting: write --config {_config_argument(target)}, after all targets."
    close = get_close_matches(target, sorted(rules), n=1)
    return " ".join([*([f"Did you mean {close[0]}?"] if close else []), "`snakemake help` lists the targets."])


def _config_argument(setting: str) -> Message:
    """Return a setting as an argument of `--config`, quoted for a shell. Snakemake refuses keys with dots there."""
    key, _, value = setting.partition("=")
    for short, path in _SHORT_FORMS.items():
        if key == ".".join(path):
            key = short
    section, *keys = key.split(".")
    if not keys:
        return f"{section}={shlex.quote(value)}"
    nested = _flow_value(value)
    for name in reversed(keys):
        nested = f"{{{name}: {nested}}}"
    return f"{section}={shlex.quote(nested)}"


def _flow_value(text: str) -> str:
    """Return text as it has to be written inside the braces of YAML: in quotation marks if its meaning would change."""
    try:
        read = yaml.safe_load(f"{{a: {text}}}")
    except (yaml.YAMLError, ValueError):
        return json.dumps(text)
    return text if isinstance(read, dict) and read.keys() == {"a"} and text else json.dumps(text)
