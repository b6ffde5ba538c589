"""Keys that a configuration file has twice: YAML takes the last and says nothing."""

from collections.abc import Iterator

import yaml


def repeated_keys(text: str) -> list[str]:
    """One part of a sentence for each key that stands twice in its section; none where the text is no YAML."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return []
    return list(_repeated(root, ""))


def _repeated(node: yaml.Node | None, place: str) -> Iterator[str]:
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        full = f"{place}.{name}" if place else name
        if name in lines:
            yield f"{full}: this key stands in line {lines[name]} and again in line {line}; leave one out"
        lines[name] = line
        yield from _repeated(value, full)
