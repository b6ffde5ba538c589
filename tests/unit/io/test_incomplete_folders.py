"""Files missing from a folder that a job made are noted, until the job has made them again."""

import os
import time

import pytest

from tumorseg.io.files import read_json
from tumorseg.io.incomplete_folders import note_missing_files

FILES = ["a.nii.gz", "b.nii.gz"]


class Folder:
    """A folder with two files, and its note."""

    def __init__(self, above):
        self.path, self.note = above / "predictions", above / "notes/predictions.json"
        self.make()

    def make(self):
        """Make all files, as the job does, and Snakemake's time stamp of the finished job."""
        self.path.mkdir(exist_ok=True)
        for name in FILES:
            (self.path / name).touch()
        (self.path / ".snakemake_timestamp").touch()
        now = time.time_ns()
        os.utime(self.path / ".snakemake_timestamp", ns=(now, now))

    def look(self):
        return note_missing_files(self.path, FILES, self.note)

    def noted(self):
        """Return the missing files of each entry of the note; None if there is no note."""
        return [entry["missing"] for entry in read_json(self.note)] if self.note.exists() else None


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def test_a_complete_folder_has_no_note(folder):
    assert (folder.look(), folder.noted()) == ([], None)


def test_a_missing_file_is_returned_and_noted(folder):
    (folder.path / FILES[1]).unlink()
    assert (folder.look(), folder.noted()) == ([FILES[1]], [[FILES[1]]])


def test_an_absent_folder_has_no_missing_files(tmp_path):
    assert note_missing_files(tmp_path / "none", FILES, tmp_path / "note.json") == []
    assert not (tmp_path / "note.json").exists()


def test_the_same_file_is_noted_once_although_planning_looks_twice(folder):
    (folder.path / FILES[0]).unlink()
    folder.look()
    folder.look()
    assert folder.noted() == [[FILES[0]]]


def test_the_note_is_unchanged_after_the_job_has_run_again(folder):
    (folder.path / FILES[0]).unlink()
    folder.look()
    before = folder.note.read_bytes()
    folder.make()
    assert folder.look() == []
    assert folder.note.read_bytes() == before


def test_files_that_were_away_for_a_while_leave_no_note(folder):
    away = (folder.path / FILES[0]).rename(folder.path.parent / "away")
    folder.look()
    away.rename(folder.path / FILES[0])
    assert (folder.look(), folder.noted()) == ([], None)


def test_files_that_were_away_for_a_while_restore_the_previous_note(folder):
    (folder.path / FILES[0]).unlink()
    folder.look()
    folder.make()
    before = folder.note.read_bytes()
    away = (folder.path / FILES[1]).rename(folder.path.parent / "away")
    folder.look()
    assert folder.noted() == [[FILES[0]], [FILES[1]]]
    away.rename(folder.path / FILES[1])
    folder.look()
    assert folder.note.read_bytes() == before


def test_the_note_stays_if_the_time_of_the_folder_is_unknown(folder):
    (folder.path / FILES[0]).unlink()
    folder.look()
    (folder.path / FILES[0]).touch()
    (folder.path / ".snakemake_timestamp").unlink()
    folder.look()
    assert folder.noted() == [[FILES[0]]]


@pytest.mark.parametrize("text", ["", "[1", "{}", "[1]", '[{"noticed": "now"}]'])
def test_a_corrupted_note_counts_as_none(folder, text):
    folder.note.parent.mkdir()
    folder.note.write_text(text)
    (folder.path / FILES[0]).unlink()
    assert folder.look() == [FILES[0]]
    assert folder.noted() == [[FILES[0]]]
