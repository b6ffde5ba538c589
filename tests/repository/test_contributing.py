"""The files, modules and constants that the pages for developers name exist."""

import re

import pytest

from tests.support.builders import REPOSITORY
from tests.support.documents import text_of

RERUNS = text_of("workflow/docs/reruns.md")
TEXT = "".join(
    [text_of("CONTRIBUTING.md"), text_of("workflow/docs/extending.md"), RERUNS.replace("`.snakemake/contents`", "")]
)
PATHS = sorted(set(re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:md|py|smk|yaml))`", TEXT)))
BELOW = ("", "scripts", "scripts/tumorseg", "workflow", "tests")


def test_the_pages_name_files():
    assert {"metrics/registry.py", "unit/task/test_definition.py", "config.yaml", "tasks/"} <= set(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_a_named_file_or_folder_exists(path):
    assert any((REPOSITORY / folder / path).exists() for folder in BELOW)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(tumorseg(?:\.\w+)+)`", TEXT))))
def test_a_named_module_of_the_library_exists(name):
    module, _, last = name.rpartition(".")
    itself, parent = (REPOSITORY / "scripts" / part.replace(".", "/") for part in (name, module))
    if not itself.is_dir() and not itself.with_suffix(".py").is_file():
        assert re.search(rf"^(class |def )?{last}\b", parent.with_suffix(".py").read_text(), re.MULTILINE)


@pytest.mark.parametrize(("file", "constant"), re.findall(r"^\| `([\w/]+\.py)`: `(\w+)`", RERUNS, re.MULTILINE))
def test_the_constant_of_an_example_exists(file, constant):
    module = (REPOSITORY / "scripts/tumorseg" / file).read_text()
    assert len(re.findall(rf"^{constant}(?:: Final)? = ", module, re.MULTILINE)) == 1
