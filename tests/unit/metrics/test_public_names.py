"""The names that `tumorseg.metrics` offers, without importing the modules of all metrics."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import tumorseg.metrics as package

SCRIPTS = Path(package.__file__).parents[2]


def test_public_names_are_the_same_for_python_and_for_type_checkers():
    tree = ast.parse(Path(package.__file__).read_text())
    (typed,) = (node for node in tree.body if isinstance(node, ast.If))
    module_of = {alias.name: statement.module for statement in typed.body for alias in statement.names}
    assert set(module_of) == set(package.__all__) == set(dir(package))
    for name, module in module_of.items():
        assert getattr(package, name) is getattr(import_module(module), name)


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match=r"module tumorseg.metrics has no attribute case_score$"):
        _ = package.case_score


def test_importing_the_package_imports_no_metric():
    code = f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); import tumorseg.metrics; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {name for name in loaded if name.startswith("tumorseg.metrics")} == {"tumorseg.metrics"}
