"""Convert docstrings in Google style to Markdown."""

import inspect
import re
from collections.abc import Iterator
from typing import Final

_SECTIONS: Final = ("Args", "Attributes", "Returns", "Yields", "Raises", "References", "Example", "Examples")
_HEADING: Final = re.compile(rf"^({'|'.join(_SECTIONS)}):$", re.MULTILINE)
_ITEM: Final = re.compile(r"^([\w*. ]+): ", re.MULTILINE)
_NAMED: Final = ("Args", "Attributes", "Raises")
"""Sections whose items start with a name."""


def first_sentence(docstring: str) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join(inspect.cleandoc(docstring).partition("\n\n")[0].split())


def as_markdown(docstring: str) -> str:
    r"""Return a docstring as Markdown: sections get a bold heading, examples become code.

    Example:
        >>> print(as_markdown("Return a sum.\n\n    Args:\n        a: a number."))
        Return a sum.
        <BLANKLINE>
        **Args**
        <BLANKLINE>
        - `a`: a number.
    """
    text, *rest = _HEADING.split(inspect.cleandoc(docstring))
    parts = [text.strip()]
    for heading, body in zip(rest[::2], rest[1::2], strict=True):
        parts += [f"**{heading}**", "\n".join(_body(heading, inspect.cleandoc(body)))]
    return "\n\n".join(part for part in parts if part)


def _body(heading: str, text: str) -> Iterator[str]:
    if heading.startswith("Example"):
        yield f"```python\n{text}\n```"
    elif heading in _NAMED:
        for item in re.split(r"\n(?! )", text):
            yield _ITEM.sub(r"- `\1`: ", " ".join(item.split()), count=1)
    else:
        yield text
