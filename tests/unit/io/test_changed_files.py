"""Changed files are found whatever their dates and sizes; unchanged ones are not read."""

import json
import os
import time

import pytest

from tumorseg.io import changed_files
from tumorseg.io.changed_files import RecordedFile, find_changed_files, recorded_files
from tumorseg.io.digests import file_digest_or_none

SHARDS = {"batch-000": ["a.nii", "b.nii"]}


class Cohort:
    """Two files, their records, and the notes of the plannings."""

    def __init__(self, folder):
        self.root, self.notes = folder / "root", folder / "notes"
        self.root.mkdir()
        self.a, self.b = self.root / "a.nii", self.root / "b.nii"
        self.a.write_bytes(b"content of a")
        self.b.write_bytes(b"content of b")

    def record(self):
        """Record the files as validation would."""
        facts = [
            {"path": path.name, "bytes": path.stat().st_size, "digest": file_digest_or_none(path)}
            for path in (self.a, self.b)
        ]
        self.recorded = {"batch-000": recorded_files(SHARDS["batch-000"], facts)}

    def survey(self, recorded=None):
        return find_changed_files(self.notes, self.root, SHARDS, self.recorded if recorded is None else recorded)

    def note(self):
        """Return the bytes of the shard's note; None if there is none."""
        path = self.notes / "batch-000.json"
        return path.read_bytes() if path.exists() else None


@pytest.fixture
def cohort(tmp_path):
    cohort = Cohort(tmp_path)
    cohort.survey({})
    cohort.record()
    return cohort


@pytest.fixture
def read(monkeypatch):
    """Return the list of the names of the files that planning reads."""
    names = []
    whole = changed_files.file_digest_or_none

    def digest(path):
        names.append(path.name)
        return whole(path)

    monkeypatch.setattr(changed_files, "file_digest_or_none", digest)
    return names


def replace(path, content):
    """Replace a file by another with the same date."""
    status = path.stat()
    other = path.with_name("other")
    other.write_bytes(content)
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


def overwrite(path, content):
    """Overwrite a file, and restore its date."""
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_new_cohort_is_not_read(tmp_path, read):
    cohort = Cohort(tmp_path)
    assert cohort.survey({}).changed == ()
    assert (read, cohort.note()) == ([], None)


def test_unchanged_files_are_not_read(cohort, read):
    assert cohort.survey().changed == ()
    assert (read, cohort.note()) == ([], None)


@pytest.mark.parametrize("change", [replace, overwrite])
def test_a_change_that_keeps_size_and_date_stays_noted(cohort, change):
    change(cohort.a, b"content of A")
    assert cohort.survey().changed == ("a.nii",)
    note = cohort.note()
    assert list(json.loads(note)) == ["a.nii"]
    assert cohort.survey().changed == ()  # named once; the note remains until the job has run, and after it
    cohort.record()
    assert cohort.survey().changed == ()
    assert cohort.note() == note


def test_a_second_change_makes_another_note(cohort):
    replace(cohort.a, b"content of A")
    cohort.survey()
    first = cohort.note()
    cohort.record()
    replace(cohort.a, b"content of a")
    assert cohort.survey().changed == ("a.nii",)
    assert cohort.note() != first


def test_a_file_that_was_away_during_one_planning_is_no_change(cohort):
    content = cohort.a.read_bytes()
    cohort.a.unlink()
    assert cohort.survey().changed == ("a.nii",)
    cohort.a.write_bytes(content)
    assert cohort.survey().changed == ()
    assert cohort.note() is None


def test_a_change_withdrawn_before_the_job_ran_restores_the_previous_note(cohort):
    replace(cohort.a, b"content of A")
    cohort.survey()
    first = cohort.note()
    cohort.record()
    replace(cohort.a, b"other content")
    cohort.survey()
    replace(cohort.a, b"a third one")
    cohort.survey()
    assert cohort.note() != first
    replace(cohort.a, b"content of A")
    cohort.survey()
    assert cohort.note() == first


def test_a_change_stays_noted_while_its_job_has_not_run(cohort):
    replace(cohort.a, b"content of A")
    cohort.survey()
    first = cohort.note()
    for _ in range(2):
        cohort.survey()
        assert cohort.note() == first
    cohort.a.touch()
    cohort.survey()
    assert cohort.note() is not None


def test_swapped_files_are_both_noted(cohort):
    between = cohort.a.rename(cohort.root / "between")
    cohort.b.rename(cohort.a)
    between.rename(cohort.b)
    assert cohort.survey().changed == ("a.nii", "b.nii")


def test_a_touched_file_is_read_once(cohort, read):
    os.utime(cohort.a, (0, 0))
    for _ in range(2):
        assert cohort.survey().changed == ()
    assert (read, cohort.note()) == (["a.nii"], None)


def test_a_file_that_changes_between_planning_and_validation_is_no_change(tmp_path):
    cohort = Cohort(tmp_path)
    cohort.survey({})
    replace(cohort.a, b"content of A")
    cohort.record()
    assert cohort.survey().changed == ()


def test_without_the_notes_a_change_is_noticed_and_unchanged_files_are_read_once(cohort, read):
    (cohort.notes / "signatures.json").unlink()
    replace(cohort.a, b"content of A")
    assert cohort.survey().changed == ("a.nii",)
    cohort.survey()
    assert read == ["a.nii", "b.nii"]


def test_corrupted_notes_count_as_lost(cohort):
    (cohort.notes / "signatures.json").write_text("[1")
    (cohort.notes / "batch-000.json").write_text("")
    replace(cohort.a, b"content of A")
    assert cohort.survey().changed == ("a.nii",)
    assert list(json.loads(cohort.note())) == ["a.nii"]


def test_a_file_that_is_or_was_missing_is_a_change(cohort):
    content = cohort.a.read_bytes()
    cohort.a.unlink()
    assert cohort.survey().changed == ("a.nii",)
    cohort.recorded["batch-000"]["a.nii"] = RecordedFile()
    assert cohort.survey().changed == ()
    (cohort.notes / "signatures.json").unlink()
    assert cohort.survey().changed == ()
    cohort.a.write_bytes(content)
    assert cohort.survey().changed == ("a.nii",)


def test_an_unreadable_file_is_tried_again_once_readable(cohort, monkeypatch):
    """Although its size, times and inode are unchanged: the disk was at fault."""
    cohort.recorded["batch-000"]["a.nii"] = RecordedFile()
    with monkeypatch.context() as patch:
        patch.setattr(changed_files, "file_digest_or_none", lambda _: None)
        assert cohort.survey().changed == ()
    assert cohort.survey().changed == ("a.nii",)
    note = cohort.note()
    assert cohort.survey().changed == ("a.nii",)  # its job failed again
    assert cohort.note() != note


def test_a_file_too_large_to_be_read_is_compared_by_size_and_date(cohort, read):
    cohort.recorded["batch-000"]["a.nii"] = RecordedFile(cohort.a.stat().st_size, None)
    assert cohort.survey().changed == ()
    os.utime(cohort.a, (0, 0))
    assert cohort.survey().changed == ("a.nii",)
    assert read == []


def test_a_fifo_is_never_opened(cohort):
    cohort.a.unlink()
    os.mkfifo(cohort.a)
    assert cohort.survey().changed == ("a.nii",)
    cohort.record()
    cohort.recorded["batch-000"]["a.nii"] = RecordedFile()
    assert cohort.survey().changed == ()


def test_a_file_added_since_the_record_is_a_change(cohort):
    cohort.recorded = {"batch-000": recorded_files(SHARDS["batch-000"], [])}
    assert cohort.survey().changed == ("a.nii", "b.nii")


def test_files_that_left_a_shard_are_forgotten(cohort):
    replace(cohort.a, b"content of A")
    cohort.survey()
    find_changed_files(cohort.notes, cohort.root, {"batch-000": ["b.nii"]}, cohort.recorded)
    assert cohort.note() is None


def test_files_dated_in_the_future_are_named(cohort):
    os.utime(cohort.b, (time.time() + 1000,) * 2)
    assert cohort.survey().future == ("b.nii",)
