"""Files for other tools: hooks of pre-commit and issue forms."""

import pytest
import yaml

from tests.support.builders import REPOSITORY

FORMS = sorted(path for path in (REPOSITORY / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")


def test_each_hook_is_a_command_of_make_lint():
    lint = (REPOSITORY / "Makefile").read_text().split("\nlint:")[1].split("\n\n")[0]
    (local,) = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"]
    commands = [hook["entry"] for hook in local["hooks"]]
    assert commands
    assert [command for command in commands if f"\t{command}\n" not in f"{lint}\n"] == []


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_an_issue_form_has_the_fields_of_github(form):
    content = yaml.safe_load(form.read_text())
    assert {"name", "description", "body"} <= set(content)
    fields = [item for item in content["body"] if item["type"] != "markdown"]
    assert all(item["attributes"]["label"] for item in fields)
    identifiers = [item["id"] for item in fields]
    assert len(identifiers) == len(set(identifiers)) > 2
