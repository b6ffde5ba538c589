import subprocess
from datetime import UTC, datetime

import pytest

from tests.support.builders import REPOSITORY
from tests.unit.cohort.test_overview import validated
from tumorseg.provenance.run_facts import commit_of, data_facts, run_facts


def git(folder, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    git(tmp_path, "init", "--quiet")
    (tmp_path / "Snakefile").write_text("one\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    return tmp_path


def test_the_commit_of_a_clean_checkout(checkout):
    assert commit_of(checkout) == git(checkout, "rev-parse", "HEAD")


def test_uncommitted_changes_are_reported(checkout):
    (checkout / "Snakefile").write_text("two\n")
    assert commit_of(checkout) == f"{git(checkout, 'rev-parse', 'HEAD')}, with changes that are not committed"


def test_results_of_a_run_are_no_change(checkout):
    (checkout / "results").mkdir()
    (checkout / "results/report.html").write_text("")
    assert commit_of(checkout) == git(checkout, "rev-parse", "HEAD")


def test_a_copy_inside_another_checkout_has_no_commit(checkout):
    (checkout / "copy").mkdir()
    assert commit_of(checkout / "copy") == "unknown: not a git checkout"


def test_a_folder_without_history_has_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_of(tmp_path) == "unknown: not a git checkout"


def test_a_machine_without_git_has_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_of(tmp_path) == "unknown: git is not installed"


def test_a_run_has_its_time_machine_and_versions():
    facts = run_facts(REPOSITORY, datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    assert facts.made == "2026-01-02 03:04 UTC"
    assert "logical cores" in facts.machine
    assert {"Python", "snakemake", "torch"} <= set(facts.versions)


def files(**digests):
    return {role: {"bytes": 10, "digest": digest, "path": f"a/{role}.nii"} for role, digest in digests.items()}


def test_files_of_usable_cases_are_counted():
    facts = data_facts([validated("a", files=files(t1="1", seg="2")), validated("b", files=files(t1="3"))], {"a"})
    assert (facts.file_count, facts.size_bytes) == (2, 20)


def test_the_digest_of_the_data_depends_on_content_but_not_on_order():
    one, two = validated("a", files=files(t1="1", seg="2")), validated("b", files=files(t1="3"))
    digest = data_facts([one, two], {"a", "b"}).digest
    assert data_facts([two, one], {"a", "b"}).digest == digest
    assert data_facts([one, validated("b", files=files(t1="4"))], {"a", "b"}).digest != digest
