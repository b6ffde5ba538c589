"""Files without read permission and FIFOs drop their case until they can be read."""

import os
import shutil
import subprocess

import pytest

from tests.integration.workflow import Workflow
from tests.support.case_files import CASE, path_of, write_valid_case
from tumorseg.io import tables

pytestmark = pytest.mark.slow

CASES = [CASE.replace("00001", f"{number:05d}") for number in range(4)]
CAPABILITIES = "-dac_override,-dac_read_search"
AS_A_USER = ["setpriv", f"--bounding-set={CAPABILITIES}", f"--inh-caps={CAPABILITIES}"]


def as_a_user(command):
    """Return the command with root's right to read every file removed."""
    return [*AS_A_USER, *command] if os.geteuid() == 0 else list(command)


@pytest.fixture
def workflow(tmp_path):
    unreadable = tmp_path / "unreadable"
    unreadable.write_text("")
    unreadable.chmod(0)
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root reads every file, and setpriv is not installed to remove this right")
    if not subprocess.run(as_a_user(["cat", unreadable]), capture_output=True, check=False).returncode:
        pytest.skip("this user reads every file, whatever its permissions are")
    workflow = Workflow(tmp_path / "run")
    for number, case in enumerate(CASES):
        write_valid_case(workflow.folder / "cohort", case, seed=number)
    workflow.configure({"cohort": {"root": "cohort", "shards": 2}, "demo": None})
    return workflow


def problems_after_run(workflow) -> tuple[dict[str, str], bool]:
    """Run twice. Return the problems of each case, and whether the second run had nothing to do."""

    def run():
        command = as_a_user(workflow.command("validate", "normalise"))
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

    completed = run()
    assert completed.returncode == 0, completed.stdout[-8000:]
    table = tables.read_table(workflow.results / "cohort/manifest.tsv")
    return dict(zip(table["case"], table["problems"], strict=True)), "Nothing to be done" in run().stdout


def test_unreadable_files_and_folders_drop_their_cases_until_they_are_readable(workflow):
    root = workflow.folder / "cohort"
    file, listable, closed = path_of(root, "t2", CASES[0]), root / CASES[1], root / CASES[2]
    file.chmod(0)
    listable.chmod(0o600)
    closed.chmod(0)
    dropped = dict(zip(CASES, ["unreadable"] * 3 + [""], strict=True))
    try:
        assert problems_after_run(workflow) == (dropped, True)
    finally:
        file.chmod(0o644)
        listable.chmod(0o755)
        closed.chmod(0o755)
    assert problems_after_run(workflow) == (dict.fromkeys(CASES, ""), True)
    file.chmod(0)
    assert problems_after_run(workflow) == (dict.fromkeys(CASES, "") | {CASES[0]: "unreadable"}, True)


def test_a_fifo_drops_its_case_and_is_never_opened(workflow):
    path = path_of(workflow.folder / "cohort", "t1", CASES[0])
    path.unlink()
    os.mkfifo(path)
    assert problems_after_run(workflow) == (dict.fromkeys(CASES, "") | {CASES[0]: "unreadable"}, True)
