"""Rules of the code that no tool checks."""

from tests.support.builders import REPOSITORY


def test_no_file_has_more_than_400_lines():
    folders = (REPOSITORY / name for name in ("scripts", "tests", "workflow"))
    files = [file for folder in folders for kind in ("*.py", "*.smk") for file in folder.rglob(kind)]
    lengths = {str(file.relative_to(REPOSITORY)): len(file.read_text().splitlines()) for file in files}
    assert len(lengths) > 300
    assert {name: length for name, length in lengths.items() if length > 400} == {}
