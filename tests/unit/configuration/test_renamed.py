import pytest
import yaml

from tests.support.builders import REPOSITORY
from tumorseg.configuration.renamed import RENAMED
from tumorseg.configuration.schema_validation import schema_errors

SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
DEFAULTS = yaml.safe_load((REPOSITORY / "config.yaml").read_text())


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_key_is_refused_with_its_new_name(old, new):
    section, _, key = old.partition(".")
    changed = {**DEFAULTS, section: {**DEFAULTS[section], key: DEFAULTS[section][new]}}
    assert schema_errors(changed, SCHEMA) == [f"{old}: this key is now called {section}.{new}; rename it"]


def test_the_changelog_lists_every_renamed_key():
    text = (REPOSITORY / "CHANGELOG.md").read_text()
    for old, new in RENAMED.items():
        assert f"| `{old}` | `{old.partition('.')[0]}.{new}` |" in text
