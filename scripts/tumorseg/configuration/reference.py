"""The page about every key of the configuration, from its schema, its defaults and their comments.

`make docs` writes it to workflow/docs/configuration.md; a test says when it is stale.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tumorseg.configuration.mistakes import allowed_by
from tumorseg.files import write_text
from tumorseg.pages.markdown import cell

PAGE: Final = Path("workflow/docs/configuration.md")
"""Below the repository's root, as are the two below."""
SCHEMA: Final = Path("workflow/schemas/config.schema.yaml")
DEFAULTS: Final = Path("config.yaml")
_INTRODUCTION: Final = """# Every key of the configuration

Made by `make docs` from `config.yaml` and `workflow/schemas/config.schema.yaml`; edit those. Give your own values in a
file with `--configfile`, or on the command line, such as `--config training='{epochs: 5}'`. Snakemake lays them over
the defaults. A key that does not exist, or a value that is not allowed, is refused before any job starts.
"""
_KEY: Final = re.compile(r"  (\w+):")
_COMMENT: Final = re.compile(r"(?:^|\s)# ?(.*)$")


def reference_page(root: Path) -> str:
    """The page as Markdown. root: of the repository."""
    text = (root / DEFAULTS).read_text(encoding="utf-8")
    schema = yaml.safe_load((root / SCHEMA).read_text(encoding="utf-8"))
    defaults, comments = yaml.safe_load(text), comments_of(text)
    sections = [_section(name, part, defaults[name], comments) for name, part in schema["properties"].items()]
    return "\n".join([_INTRODUCTION, *sections])


def comments_of(text: str) -> dict[str, str]:
    """The comment behind each key of a configuration file, by `section` or `section.key`, with the lines below it."""
    comments: dict[str, str] = {}
    section = key = ""
    for line in text.splitlines():
        if line and line[0].isalpha():
            section = key = line.partition(":")[0]
        elif found := _KEY.match(line):
            key = f"{section}.{found[1]}"
        if key and (comment := _COMMENT.search(line)):
            comments[key] = f"{comments.get(key, '')} {comment[1].strip()}".strip()
    return comments


def _section(name: str, schema: Mapping[str, Any], defaults: Any, comments: Mapping[str, str]) -> str:
    about = f"\n{comments[name].capitalize()}.\n" if name in comments else ""
    return f"## {name}\n{about}\n" + "".join(f"{line}\n" for line in _rows(name, schema, defaults, comments))


def _rows(name: str, schema: Mapping[str, Any], defaults: Any, comments: Mapping[str, str]) -> Iterator[str]:
    yield "| key | default | allowed | meaning |"
    yield "| --- | --- | --- | --- |"
    for key, part in schema["properties"].items():
        default = f"`{yaml.safe_dump(defaults[key], default_flow_style=True).splitlines()[0]}`" if defaults else ""
        meaning = comments.get(f"{name}.{key}", part.get("description", ""))
        yield f"| `{name}.{key}` | {cell(default)} | {cell(allowed_by(part))} | {cell(meaning)} |"


if __name__ == "__main__":
    write_text(PAGE, reference_page(Path()))
