"""What a digest of code reaches, where code is clever, lies elsewhere or is kept."""

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


def test_functions_of_the_same_content_are_not_the_same_one(project):
    edit(
        project, "lib/used.py", "def _unused(x):\n    return x\n", "class A(Exception): ...\nclass B(Exception): ...\n"
    )
    edit(project, "lib/used.py", "except KeyError:", "except (A, KeyError):")
    edit(project, "lib/used.py", "try:\n", "try:\n        if y: raise A\n")
    first = digest(project)
    edit(project, "lib/used.py", "raise A", "raise B")
    assert digest(project) != first


@pytest.mark.parametrize(
    "clever",
    [
        "def clever():\n    return globals()['_unused'](1)\n",
        "def clever():\n    return eval('_unused')(1)\n",
        "def clever():\n    import sys\n    return sys.modules[__name__]._unused\n",
        "def clever():\n    import importlib\n    return importlib.import_module('lib.' + 'used')._unused\n",
        "def clever():\n    import lib.used as here\n    return getattr(here, '_un' + 'used')\n",
    ],
)
def test_what_code_could_reach_by_its_name_counts(project, clever):
    edit(project, "script.py", "def main", f"{clever}\n\ndef main")
    first = digest(project)
    edit(project, "lib/used.py", "    return x\n", "    return x + 1\n")
    assert digest(project) != first


def test_a_name_that_code_can_see_counts(project):
    edit(project, "lib/used.py", "return [_helper(value)", "return [_helper.__name__] + [_helper(value)")
    first = digest(project)
    edit(project, "lib/used.py", "_helper", "_fold")
    assert digest(project) != first


def test_the_names_of_parameters_count_where_a_function_is_handed_around(project):
    edit(project, "script.py", "doubled(options.size, factor=4)", "doubled(**{'x': 1, 'factor': 4})")
    first = digest(project)
    edit(project, "lib/used.py", "(x, factor=2)", "(factor, x=2)")
    edit(project, "lib/used.py", "factor * x * one", "x * factor * one")
    assert digest(project) != first


def test_the_effect_of_what_a_message_calls_counts(project):
    edit(project, "script.py", 'print(f"{options.size} cases")', 'print(f"{changed(options)} cases")')
    edit(project, "script.py", "def check", "def changed(options):\n    options.size = 1\n\ndef check")
    first = digest(project)
    edit(project, "script.py", "options.size = 1", "options.size = 2")
    assert digest(project) != first


def test_a_local_name_that_hides_a_function_is_not_mistaken_for_it(project):
    edit(project, "lib/used.py", "total = factor * x * one", "total = factor * x * one\n    (lambda one: one)(x)")
    first = digest(project)
    edit(project, "lib/used.py", "(lambda one: one)(x)", "(lambda two: one)(x)")
    assert digest(project) != first


def test_a_second_file_counts_with_all_that_it_offers(project):
    first = digest(project, "lib/page/render.py")
    assert first != digest(project)
    edit(project, "lib/page/page.html", "<p>", "<b>")
    second = digest(project, "lib/page/render.py")
    assert second != first
    edit(project, "lib/page/render.py", "return 1", "return 2")
    assert digest(project, "lib/page/render.py") != second


def test_data_files_beside_a_module_that_is_used_count(project):
    edit(project, "script.py", "def main():", "from lib.page.render import page\n\ndef main():\n    page()")
    first = digest(project)
    edit(project, "lib/page/page.html", "<p>", "<b>")
    assert digest(project) != first


def test_versions_of_imported_packages_are_named(project):
    import numpy

    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    assert digest(project).endswith(f"  {python}, numpy {numpy.__version__}")


def test_the_place_of_the_project_does_not_count(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "moved"
    first = digest(project)
    project.rename(elsewhere)
    assert digest(elsewhere) == first


def test_kept_digests_are_those_of_the_present_code(project, tmp_path_factory):
    kept = tmp_path_factory.mktemp("run") / "kept/digests.json"
    first = CodeDigests(project, kept).digest(project / "script.py")
    assert json.loads(kept.read_text())["digests"] == {"script": first}
    kept.write_text(kept.read_text().replace(first, "as kept"))
    assert CodeDigests(project, kept).digest(project / "script.py") == "as kept"
    edit(project, "lib/used.py", "_OFFSET = 10", "_OFFSET = 11")
    assert CodeDigests(project, kept).digest(project / "script.py") == digest(project)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"state": 1}'])
def test_a_damaged_file_of_kept_digests_does_no_harm(project, tmp_path_factory, content):
    kept = tmp_path_factory.mktemp("run") / "kept.json"
    kept.write_text(content)
    assert CodeDigests(project, kept).digest(project / "script.py") == digest(project)


def test_the_digest_is_the_same_in_any_locale(project):
    edit(project, "lib/used.py", '"key"', '"ключ"')
    command = "import sys; sys.path.insert(0, sys.argv[1]); from tumorseg.codedigest.digest import CodeDigests; "
    command += "from pathlib import Path; print(CodeDigests(Path(sys.argv[2])).digest(Path(sys.argv[2], 'script.py')))"
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    told = subprocess.run(
        [sys.executable, "-c", command, str(REPOSITORY / "scripts"), str(project)],
        env={**os.environ, **plain},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == digest(project)


def test_a_package_may_name_for_type_checkers_what_it_imports_when_asked(project):
    (project / "lib/extra.py").write_text("FOUND = []\nFOUND.append(print('imported'))\n")
    first = digest(project)
    lines = ["from typing import TYPE_CHECKING", "if TYPE_CHECKING:", "    from lib.extra import FOUND"]
    (project / "lib/__init__.py").write_text("\n".join(lines))
    (project / "lib/py.typed").touch()
    assert digest(project) == first
    (project / "lib/__init__.py").write_text(lines[-1].strip())
    assert digest(project) != first
