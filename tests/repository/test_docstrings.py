"""Docstrings of the library's public functions describe arrays and errors in sections."""

import ast
import re
from collections.abc import Iterator

from tests.support.builders import REPOSITORY

ARRAY = re.compile(r"\b(NDArray|ndarray|Tensor|Mask)\b")
RAISES_SECTION = re.compile(r"^Raises:\n(?:[ \n].*\n?)*", re.MULTILINE)
ERROR_IN_PROSE = re.compile(r"\braises?\b[^.]*\b\w+(Error|Exit|Interrupt)\b", re.IGNORECASE)


def public_functions() -> Iterator[tuple[str, ast.FunctionDef, str]]:
    """Yield the place, the definition and the docstring of each public function and method."""
    for path in sorted((REPOSITORY / "scripts/tumorseg").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
        for scope in (tree, *classes):
            for node in scope.body:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                    place = f"{path.relative_to(REPOSITORY)}:{node.lineno} {node.name}"
                    yield place, node, ast.get_docstring(node) or ""


def undescribed_arrays(function: ast.FunctionDef, docstring: str) -> list[str]:
    """Return the parameters for arrays that have no entry in the docstring."""
    arguments = function.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    arrays = [part.arg for part in parameters if part.annotation and ARRAY.search(ast.unparse(part.annotation))]
    return [name for name in arrays if not re.search(rf"^    {name}: ", docstring, re.MULTILINE)]


def test_functions_that_take_arrays_describe_them():
    functions = list(public_functions())
    assert len(functions) > 300
    assert {place: found for place, node, text in functions if (found := undescribed_arrays(node, text))} == {}


def test_raised_errors_stand_in_a_section():
    prose = {place: " ".join(RAISES_SECTION.sub("", docstring).split()) for place, _, docstring in public_functions()}
    assert {place: found[0] for place, text in prose.items() if (found := ERROR_IN_PROSE.search(text))} == {}
