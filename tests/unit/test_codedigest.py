import os
import subprocess
import sys

import pytest

from tests.helpers import REPOSITORY
from tumorseg.codedigest import _files, _imported, _read, code_digest


@pytest.fixture
def project(tmp_path):
    files = {
        "script.py": "from lib.used import twice\n\n\ndef main():\n    print(twice(2))\n",
        "lib/__init__.py": "",
        "lib/used.py": '"""U."""\nfrom lib.inner import one\ndef twice(x):\n    """D."""\n    return 2 * x * one\n',
        "lib/inner.py": 'import numpy\n\none = int(numpy.ones(1)[0])\n"""O."""\n',
        "lib/unused.py": "x = 1\n",
        "lib/page/__init__.py": "",
        "lib/page/render.py": "",
        "lib/page/page.html": "<p>",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def digest(project):
    for cached in (_read, _imported, _files):
        cached.cache_clear()
    return code_digest(project / "script.py")


def edit(project, name, before, after):
    text = (project / name).read_text()
    assert before in text
    (project / name).write_text(text.replace(before, after))


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("script.py", "twice(2)", "twice(3)"),
        ("lib/used.py", "2 * x", "3 * x"),
        ("lib/inner.py", "ones(1)", "ones(2)"),
        ("lib/__init__.py", "", "y = 1"),
    ],
)
def test_a_change_of_what_is_reached_changes_the_digest(project, name, before, after):
    first = digest(project)
    edit(project, name, before, after)
    assert digest(project) != first


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("lib/used.py", "return", "# why\n    return"),
        ("lib/used.py", '"""D."""', '"""Twice as much."""'),
        ("lib/inner.py", '"""O."""', '"""Of a constant."""'),
        ("lib/used.py", "2 * x * one", "2  *  x*one"),
        ("lib/unused.py", "1", "2"),
        ("lib/page/page.html", "<p>", "<b>"),
    ],
)
def test_comments_docstrings_formatting_and_what_is_not_imported_do_not(project, name, before, after):
    first = digest(project)
    edit(project, name, before, after)
    assert digest(project) == first


def test_a_module_that_joins_the_chain_counts(project):
    edit(project, "lib/inner.py", "import numpy", "import numpy\nfrom lib import unused")
    first = digest(project)
    edit(project, "lib/unused.py", "1", "2")
    assert digest(project) != first


def test_data_files_beside_an_imported_module_count(project):
    edit(project, "script.py", "def main", "import lib.page.render\n\n\ndef main")
    first = digest(project)
    edit(project, "lib/page/page.html", "<p>", "<b>")
    assert digest(project) != first


def test_a_second_file_counts_too(project):
    both = lambda: code_digest(project / "script.py", project / "lib/unused.py")  # noqa: E731
    first = both()
    edit(project, "lib/unused.py", "1", "2")
    digest(project)
    assert both() != first


def test_versions_of_imported_packages_are_named(project):
    import numpy

    assert digest(project).endswith(
        f"  Python {sys.version_info.major}.{sys.version_info.minor}, numpy {numpy.__version__}"
    )


def test_the_place_of_the_project_does_not_count(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "moved"
    first = digest(project)
    project.rename(elsewhere)
    assert digest(elsewhere) == first


def test_the_digest_is_the_same_in_any_locale():
    script = REPOSITORY / "scripts/evaluate.py"
    command = "import sys; sys.path.insert(0, sys.argv[1]); from tumorseg.codedigest import code_digest; "
    command += "from pathlib import Path; print(code_digest(Path(sys.argv[1], 'evaluate.py')))"
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for environment in (plain, {"LC_ALL": "C.UTF-8"}):
        told = subprocess.run(
            [sys.executable, "-c", command, str(script.parent)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout.strip() == code_digest(script)
