"""Reading the code of the README."""

import re

from tests.helpers import REPOSITORY


def library_example() -> tuple[str, list[str]]:
    """The example of the section about the library, and the lines that it says it prints."""
    section = (REPOSITORY / "README.md").read_text().split("## As a library")[1].split("\n## ")[0]
    (code,) = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    said = re.findall(r"^print\(.*\)  # (.*)$", code, re.MULTILINE)
    assert said
    return code, said
