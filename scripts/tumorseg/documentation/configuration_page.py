"""The page of all configuration keys, from the schema, the defaults and their comments."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tumorseg.configuration.schema_validation import describe_allowed
from tumorseg.documentation.tables import table

PAGE: Final = Path("workflow/docs/configuration.md")
"""Relative to the repository's root, like the next two."""
SCHEMA: Final = Path("workflow/schemas/config.schema.yaml")
DEFAULTS: Final = Path("config.yaml")
_INTRODUCTION: Final = """# Configuration

Made by `make docs` from `config.yaml` and `workflow/schemas/config.schema.yaml`; edit those.

## How to set a value

`config.yaml` holds every setting with its default. Put the settings that you change into a file of your own:

```sh
snakemake --configfile workflow/small.yaml --config data=data --dry-run
```

- **Command line.** `--config training='{epochs: 5}'` sets a single value. Four folders have a short form: `data=DIR` is
  `cohort.root`, `patients=DIR` is `segment.cases`, and `predictions=DIR` and `references=DIR` are the keys of `score`.
- **Order.** Write targets before `--configfile` and `--config`, which swallow what follows.
- **Mistakes.** A key that does not exist, or a value that is not allowed, is refused before any job starts. The message
  names the key.
- **Folders.** `--directory` puts everything that is written elsewhere. Relative paths in the configuration start there.
  `~` is the home folder, which may be read-only. With a profile of your own, set `XDG_CACHE_HOME` to a folder that is
  writable.
- **Changes.** What depends on a changed setting runs again, and nothing else: another colour redraws what shows
  colours, another learning rate trains again and validates nothing. [Reruns](reruns.md) lists the rules for each
  setting.
"""
_KEY: Final = re.compile(r"  (\w+):")
_COMMENT: Final = re.compile(r"(?:^|\s)# ?(.*)$")


def reference_page(root: Path) -> str:
    """Return the page as Markdown.

    Args:
        root: the root of the repository.
    """
    text = (root / DEFAULTS).read_text(encoding="utf-8")
    schema = yaml.safe_load((root / SCHEMA).read_text(encoding="utf-8"))
    defaults, comments = yaml.safe_load(text), comments_of(text)
    sections = [_section(name, part, defaults[name], comments) for name, part in schema["properties"].items()]
    return "\n".join([_INTRODUCTION, *sections])


def comments_of(text: str) -> dict[str, str]:
    """Return the comment of each key of a configuration file, by `section` or `section.key`.

    Args:
        text: content of the file. A comment is behind its key, and continues on lines of comments below it.
    """
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
    rows = _rows(name, schema, defaults, comments)
    return f"## {name}\n{about}\n{table(('key', 'default', 'allowed', 'meaning'), rows)}\n"


def _rows(
    name: str, schema: Mapping[str, Any], defaults: Any, comments: Mapping[str, str]
) -> Iterator[tuple[str, ...]]:
    for key, part in schema["properties"].items():
        default = f"`{yaml.safe_dump(defaults[key], default_flow_style=True).splitlines()[0]}`" if defaults else ""
        meaning = comments.get(f"{name}.{key}", part.get("description", ""))
        yield f"`{name}.{key}`", default, describe_allowed(part), meaning
