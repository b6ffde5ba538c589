"""Decisions are remembered until a file changes."""

import os

import pytest

from tumorseg.preparation import prepared_decisions
from tumorseg.preparation.prepared_check import PreparedDecision
from tumorseg.preparation.prepared_decisions import RememberedDecisions
from tumorseg.task import load_task


@pytest.fixture
def decided(monkeypatch):
    """The files of each decision that was made."""
    made = []

    def need(files, _task, _max_voxels):
        made.append(files)
        return PreparedDecision(False, ("tilted",))

    monkeypatch.setattr(prepared_decisions, "preparation_need", need)
    return made


def decide(folder, files, max_voxels=10, code="a"):
    decisions = RememberedDecisions(folder / "decisions.json", load_task(), max_voxels, code)
    found = decisions.decide(files)
    decisions.save()
    return found


def test_a_decision_is_made_once_for_unchanged_files(tmp_path, decided):
    (tmp_path / "t1.nii").write_bytes(b"1")
    files = {"t1": tmp_path / "t1.nii"}
    assert decide(tmp_path, files) == decide(tmp_path, files) == PreparedDecision(False, ("tilted",))
    assert len(decided) == 1


def test_a_changed_file_is_looked_at_again(tmp_path, decided):
    file = tmp_path / "t1.nii"
    file.write_bytes(b"1")
    decide(tmp_path, {"t1": file})
    os.utime(file, (1, 1))
    decide(tmp_path, {"t1": file})
    assert len(decided) == 2


def test_a_corrupted_memory_is_ignored(tmp_path, decided):
    (tmp_path / "decisions.json").write_text("[")
    assert decide(tmp_path, {"t1": tmp_path / "missing.nii"}).reasons == ("tilted",)
    assert len(decided) == 1


@pytest.mark.parametrize("changes", [{"max_voxels": 11}, {"code": "b"}])
def test_decisions_of_other_code_or_settings_are_not_used(tmp_path, decided, changes):
    files = {"t1": tmp_path / "missing.nii"}
    decide(tmp_path, files)
    decide(tmp_path, files, **changes)
    assert len(decided) == 2
