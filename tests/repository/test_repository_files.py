"""Files that other tools read from the repository: hooks of pre-commit and forms of issues."""

import pytest
import yaml

from tests.support.builders import REPOSITORY

FORMS = sorted(path for path in (REPOSITORY / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")


def test_a_hook_runs_what_make_lint_runs():
    lint = (REPOSITORY / "Makefile").read_text().split("\nlint:")[1].split("\n\n")[0]
    (local,) = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"]
    commands = [hook["entry"] for hook in local["hooks"]]
    assert commands
    assert [command for command in commands if f"\t{command}\n" not in f"{lint}\n"] == []


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_an_issue_form_has_what_github_asks_for(form):
    content = yaml.safe_load(form.read_text())
    assert {"name", "description", "body"} <= set(content)
    fields = [item for item in content["body"] if item["type"] != "markdown"]
    assert all(item["attributes"]["label"] for item in fields)
    identifiers = [item["id"] for item in fields]
    assert len(identifiers) == len(set(identifiers)) > 2
