"""Case folders whose names do not fit into a table, and case names that look like missing values or numbers."""

import os
import shutil

import pytest

from tests.integration.workflow import Workflow
from tests.support.case_files import write_valid_case
from tumorseg.cohort.manifest import read_manifest

pytestmark = pytest.mark.slow


@pytest.fixture
def run(tmp_path):
    run = Workflow(tmp_path / "run")
    run.configure({"demo": None})
    for number, case in enumerate(["NA", "007", "1e5"]):
        write_valid_case(run.folder / "cohort", case, seed=number)
    for name in ("a{b}", "bell\x07", os.fsdecode(b"caf\xe9")):
        write_valid_case(run.folder / "cohort", "plain", seed=9)
        for file in (run.folder / "cohort/plain").iterdir():
            file.rename(file.with_name(file.name.replace("plain", name)))
        (run.folder / "cohort/plain").rename(run.folder / "cohort" / name)
    (run.folder / "cohort/itself").symlink_to(run.folder / "cohort")
    return run


def test_invalid_names_are_listed_with_a_reason_and_other_cases_are_used(run):
    output = run.succeed("validate")
    table = read_manifest(run.results / "cohort/manifest.tsv").set_index("case")
    assert dict(table["problems"]) == {
        "007": "",
        "1e5": "",
        "NA": "",
        "a{b}": "awkward_name",
        r"bell\x07": "awkward_name",
        r"caf\xe9": "awkward_name",
        "itself": "folder_of_cases",
    }
    assert all(rf"{name} dropped: awkward_name: the folder is called" in output for name in ("a{b}", r"bell\x07"))
    assert r"caf\xe9" in (run.results / "cohort/cohort.html").read_text(encoding="utf-8")
    shutil.rmtree(run.folder / "cohort" / "a{b}")
    assert run.planned("validate")["manifest"] == 1
