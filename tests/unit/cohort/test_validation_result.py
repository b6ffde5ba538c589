"""Each code of a problem or a warning has a description in one table."""

import ast
import re

import pytest

from tests.support.builders import REPOSITORY
from tumorseg.cohort.validation_result import PROBLEM_CODES, WARNING_CODES
from tumorseg.networks.notices import NOTICE_CODES

SOURCES = [
    path
    for name in ("cohort", "io", "segmentation", "clinical")
    for path in (REPOSITORY / "scripts/tumorseg" / name).rglob("*.py")
]
KNOWN = PROBLEM_CODES | WARNING_CODES


def given(tree: ast.AST):
    """Yield the codes that a module uses: the first argument of an issue or exception, and the keys of notes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
            "Issue",
            "VolumeError",
            "OrientationWarning",
        ):
            first = node.args[0] if node.args else node.keywords[0].value
            parts = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
            yield from (part.value for part in parts if isinstance(part, ast.Constant))
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "notes":
            yield from [node.slice.value] if isinstance(node.slice, ast.Constant) else []
        if isinstance(node, ast.keyword) and node.arg == "notes" and isinstance(node.value, ast.Dict):
            yield from (key.value for key in node.value.keys if isinstance(key, ast.Constant))


def test_every_used_code_has_a_description_and_every_description_is_used():
    codes = {code for path in SOURCES for code in given(ast.parse(path.read_text(encoding="utf-8")))}
    assert codes | {*NOTICE_CODES} == set(KNOWN)


def test_a_code_is_a_problem_or_a_warning():
    assert not set(PROBLEM_CODES) & set(WARNING_CODES)


@pytest.mark.parametrize("code", KNOWN)
def test_a_code_is_one_word_and_its_description_a_sentence(code):
    assert re.fullmatch(r"[a-z_]+", code)
    assert re.fullmatch(r"[A-Z].*\.", KNOWN[code])
