"""What the pages for developers name is there."""

import re

import pytest

from tests.support.builders import REPOSITORY
from tests.support.documents import text_of

TEXT = "".join(text_of(page) for page in ("CONTRIBUTING.md", "workflow/docs/extending.md"))
PATHS = sorted(set(re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:md|py|smk|yaml))`", TEXT)))
BELOW = ("", "scripts", "scripts/tumorseg", "workflow", "tests")


def test_the_pages_name_files():
    assert {"metrics/registry.py", "unit/task/test_definition.py", "config.yaml", "tasks/"} <= set(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_a_file_or_folder_that_is_named_exists(path):
    assert any((REPOSITORY / folder / path).exists() for folder in BELOW)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(tumorseg(?:\.\w+)+)`", TEXT))))
def test_a_module_or_name_of_the_library_exists(name):
    module, _, last = name.rpartition(".")
    own, above = (REPOSITORY / "scripts" / part.replace(".", "/") for part in (name, module))
    if not own.is_dir() and not own.with_suffix(".py").is_file():
        assert re.search(rf"^(class |def )?{last}\b", above.with_suffix(".py").read_text(), re.MULTILINE)
