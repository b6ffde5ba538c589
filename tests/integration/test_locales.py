"""Cases and digests do not depend on the locale."""

import shutil
import subprocess

import pytest

from tests.integration.workflow import Workflow
from tests.support.case_files import write_valid_case
from tumorseg.cohort.manifest import read_manifest

pytestmark = pytest.mark.release


def latin_1(folder):
    """Create a Latin-1 locale, and return its environment variables."""
    if shutil.which("localedef") is None:
        pytest.skip("localedef is not installed")
    command = ["localedef", "-i", "en_US", "-f", "ISO-8859-1", str(folder / "en_US.ISO-8859-1")]
    if subprocess.run(command, check=False, capture_output=True).returncode > 1:
        pytest.skip("the sources of locales are not installed")
    return {"LC_ALL": "en_US.ISO-8859-1", "LOCPATH": str(folder)}


@pytest.mark.parametrize("locale", ["latin-1", "ascii"])
def test_names_and_digests_are_the_same_in_another_locale(tmp_path, monkeypatch, locale):
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    run = Workflow(tmp_path / "run")
    run.configure({"demo": None, "cohort": {"root": "Übung/cohort", "shards": 1}})
    for number, case in enumerate(["b", "Müller 01", "漢字"]):
        write_valid_case(run.folder / "Übung/cohort", case, seed=number)
    with monkeypatch.context() as other:
        other.delenv("PYTHONUTF8", raising=False)
        for name, value in (latin_1(tmp_path) if locale == "latin-1" else plain).items():
            other.setenv(name, value)
        run.succeed("validate")
    table = read_manifest(run.results / "cohort/manifest.tsv")
    assert dict(zip(table["case"], table["usable"], strict=True)) == {"Müller 01": True, "b": True, "漢字": True}
    assert not run.planned("validate")
