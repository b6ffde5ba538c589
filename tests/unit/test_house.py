"""Rules that hold the house together and that no tool checks."""

import subprocess

from tests.helpers import REPOSITORY


def test_no_file_has_more_than_250_lines():
    tracked = subprocess.run(
        ["git", "ls-files", "*.py", "*.smk", "Snakefile"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    lengths = {name: len((REPOSITORY / name).read_text().splitlines()) for name in tracked.stdout.splitlines()}
    assert len(lengths) > 300
    assert {name: length for name, length in lengths.items() if length > 250} == {}
