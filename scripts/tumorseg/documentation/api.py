"""Generate the page of the library's public functions and classes from their signatures and docstrings."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

from tumorseg.formatting import format_markdown_cell

PUBLIC: Final[dict[str, tuple[str, ...]]] = {
    "tumorseg": ("load_task", "built_in_tasks", "Task", "case_scores", "UserError"),
    "tumorseg.metrics": (
        "confusion",
        "overlaps",
        "Overlap",
        "surface_distances",
        "SurfaceDistances",
        "border_hausdorff95",
        "lesion_scores",
        "LesionScores",
        "lesion_scores_2026",
        "LesionScores2026",
        "Detection",
        "PairScores",
        "GlobalScores",
        "case_scores_2026",
        "metrics",
        "metric",
        "register",
        "Metric",
    ),
}
"""Public names by the module from which to import them."""
_WIDTH: Final = 100
"""Maximum characters of a signature on one line; a longer one has a line for each argument."""
_SECTIONS: Final = ("Args", "Attributes", "Returns", "Yields", "Raises", "References", "Example", "Examples")
_HEADING: Final = re.compile(rf"^({'|'.join(_SECTIONS)}):$", re.MULTILINE)
_ITEM: Final = re.compile(r"^([\w*. ]+): ", re.MULTILINE)
_NAMED: Final = ("Args", "Attributes", "Raises")
"""Sections whose items start with a name."""


def api_tables() -> str:
    """Return the sections of the page, one for each module with its functions and classes."""
    return "\n".join(section for module, names in PUBLIC.items() for section in _module(module, names))


def _module(module: str, names: tuple[str, ...]) -> Iterator[str]:
    found = import_module(module)
    yield f"## {module}\n\n{first_sentence(found.__doc__ or '')}\n"
    for name in names:
        yield from _entry(name, getattr(found, name))


def _entry(name: str, documented: Any) -> Iterator[str]:
    yield f"### {name}\n"
    if not inspect.isclass(documented):
        yield f"```python\n{signature(name, documented)}\n```\n"
    yield f"{as_markdown(documented.__doc__ or '').replace(documented.__name__, name)}\n"
    if inspect.isclass(documented) and (members := list(_members(documented))):
        yield "| member | meaning |\n| --- | --- |"
        yield "".join(f"{row}\n" for row in members)


def signature(name: str, function: Any) -> str:
    """Return the signature of a function as in its source, under its public name.

    Raises:
        TypeError: `function` is not a function.
    """
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    if not isinstance(node, ast.FunctionDef):
        raise TypeError(f"{name} is not a function")
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    arguments = list(_arguments(node.args))
    line = f"{name}({', '.join(arguments)}){result}"
    if len(line) <= _WIDTH:
        return line
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"{name}(\n{lines}){result}"


def _arguments(arguments: ast.arguments) -> Iterator[str]:
    """Yield each argument, and `*` before the keyword-only ones."""
    positional = [*arguments.posonlyargs, *arguments.args]
    lacking = [None] * (len(positional) - len(arguments.defaults))
    for argument, default in zip(positional, [*lacking, *arguments.defaults], strict=True):
        yield _with_default(argument, default)
    if arguments.kwonlyargs:
        yield "*"
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _with_default(argument, default)


def _with_default(argument: ast.arg, default: ast.expr | None) -> str:
    return ast.unparse(argument) if default is None else f"{ast.unparse(argument)} = {ast.unparse(default)}"


def _members(owner: type) -> Iterator[str]:
    """Yield a table row for each documented method and property that the class itself defines."""
    for name, member in vars(owner).items():
        documented = inspect.isfunction(member) or isinstance(member, (property, classmethod))
        documented = documented or type(member).__name__ == "cached_property"
        if documented and not name.startswith("_") and (text := getattr(member, "__doc__", None)):
            called = "()" if inspect.isfunction(member) or isinstance(member, classmethod) else ""
            yield f"| `{name}{called}` | {format_markdown_cell(first_sentence(text))} |"


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
