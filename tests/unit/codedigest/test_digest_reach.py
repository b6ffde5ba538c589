"""The reach of a digest: introspection, data files, packages, other places and cached digests."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.builders import REPOSITORY
from tests.support.code_project import digest, edit, make_project
from tumorseg.codedigest.digest import CodeDigests


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path)


def test_classes_with_the_same_content_are_distinguished(project):
    edit(
        project, "lib/used.py", "def _unused(x):\n    return x\n", "class A(Exception): ...\nclass B(Exception): ...\n"
    )
    edit(project, "lib/used.py", "except KeyError:", "except (A, KeyError):")
    edit(project, "lib/used.py", "try:\n", "try:\n        if y: raise A\n")
    first = digest(project)
    edit(project, "lib/used.py", "raise A", "raise B")
    assert digest(project) != first


@pytest.mark.parametrize(
    "introspection",
    [
        "def introspection():\n    return globals()['_unused'](1)\n",
        "def introspection():\n    return eval('_unused')(1)\n",
        "def introspection():\n    import sys\n    return sys.modules[__name__]._unused\n",
        "def introspection():\n    import importlib\n    return importlib.import_module('lib.' + 'used')._unused\n",
        "def introspection():\n    import lib.used as here\n    return getattr(here, '_un' + 'used')\n",
    ],
)
def test_code_reached_by_introspection_changes_the_digest(project, introspection):
    edit(project, "script.py", "def main", f"{introspection}\n\ndef main")
    first = digest(project)
    edit(project, "lib/used.py", "    return x\n", "    return x + 1\n")
    assert digest(project) != first


def test_a_name_that_code_reads_changes_the_digest(project):
    edit(project, "lib/used.py", "return [_helper(value)", "return [_helper.__name__] + [_helper(value)")
    first = digest(project)
    edit(project, "lib/used.py", "_helper", "_fold")
    assert digest(project) != first


def test_parameter_names_change_the_digest_if_a_function_is_called_with_a_dictionary(project):
    edit(project, "script.py", "doubled(options.size, factor=4)", "doubled(**{'x': 1, 'factor': 4})")
    first = digest(project)
    edit(project, "lib/used.py", "(x, factor=2)", "(factor, x=2)")
    edit(project, "lib/used.py", "factor * x * one", "x * factor * one")
    assert digest(project) != first


def test_a_call_with_an_effect_inside_a_message_changes_the_digest(project):
    edit(project, "script.py", 'print(f"{options.size} cases")', 'print(f"{changed(options)} cases")')
    edit(project, "script.py", "def check", "def changed(options):\n    options.size = 1\n\ndef check")
    first = digest(project)
    edit(project, "script.py", "options.size = 1", "options.size = 2")
    assert digest(project) != first


def test_a_local_name_that_hides_a_function_is_distinguished_from_it(project):
    edit(project, "lib/used.py", "total = factor * x * one", "total = factor * x * one\n    (lambda one: one)(x)")
    first = digest(project)
    edit(project, "lib/used.py", "(lambda one: one)(x)", "(lambda two: one)(x)")
    assert digest(project) != first


def test_a_second_file_and_its_public_names_change_the_digest(project):
    first = digest(project, "lib/page/render.py")
    assert first != digest(project)
    edit(project, "lib/page/page.html", "<p>", "<b>")
    second = digest(project, "lib/page/render.py")
    assert second != first
    edit(project, "lib/page/render.py", "return 1", "return 2")
    assert digest(project, "lib/page/render.py") != second


def test_data_files_beside_a_used_module_change_the_digest(project):
    edit(project, "script.py", "def main():", "from lib.page.render import page\n\ndef main():\n    page()")
    first = digest(project)
    edit(project, "lib/page/page.html", "<p>", "<b>")
    assert digest(project) != first


def test_the_digest_lists_the_versions_of_imported_packages(project):
    import numpy

    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    assert digest(project).endswith(f"  {python}, numpy {numpy.__version__}")


def test_a_moved_project_has_the_same_digest(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "moved"
    first = digest(project)
    project.rename(elsewhere)
    assert digest(elsewhere) == first


def test_cached_digests_are_used_until_the_code_changes(project, tmp_path_factory):
    cache = tmp_path_factory.mktemp("run") / "cache/digests.json"
    first = CodeDigests(project, cache).digest(project / "script.py")
    assert json.loads(cache.read_text())["digests"] == {"script": first}
    cache.write_text(cache.read_text().replace(first, "as cached"))
    assert CodeDigests(project, cache).digest(project / "script.py") == "as cached"
    edit(project, "lib/used.py", "_OFFSET = 10", "_OFFSET = 11")
    assert CodeDigests(project, cache).digest(project / "script.py") == digest(project)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"state": 1}'])
def test_a_corrupted_cache_is_ignored(project, tmp_path_factory, content):
    cache = tmp_path_factory.mktemp("run") / "cache.json"
    cache.write_text(content)
    assert CodeDigests(project, cache).digest(project / "script.py") == digest(project)


def test_the_digest_is_the_same_in_any_locale(project):
    edit(project, "lib/used.py", '"key"', '"ключ"')
    command = "import sys; sys.path.insert(0, sys.argv[1]); from tumorseg.codedigest.digest import CodeDigests; "
    command += "from pathlib import Path; print(CodeDigests(Path(sys.argv[2])).digest(Path(sys.argv[2], 'script.py')))"
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    completed = subprocess.run(
        [sys.executable, "-c", command, str(REPOSITORY / "scripts"), str(project)],
        env={**os.environ, **plain},
        capture_output=True,
        text=True,
        check=True,
    )
    assert completed.stdout.strip() == digest(project)


def test_imports_for_type_checkers_are_ignored(project):
    (project / "lib/extra.py").write_text("FOUND = []\nFOUND.append(print('imported'))\n")
    first = digest(project)
    lines = ["from typing import TYPE_CHECKING", "if TYPE_CHECKING:", "    from lib.extra import FOUND"]
    (project / "lib/__init__.py").write_text("\n".join(lines))
    (project / "lib/py.typed").touch()
    assert digest(project) == first
    (project / "lib/__init__.py").write_text(lines[-1].strip())
    assert digest(project) != first
