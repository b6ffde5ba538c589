from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tumorseg.cli import console
from tumorseg.errors import UserError
from tumorseg.io.files import read_json


def run(log, error=None):
    with console.job("a_job", log):
        console.logger.info("working")
        if error:
            raise error


def test_messages_reach_the_terminal_and_the_log(tmp_path, capsys):
    run(tmp_path / "a.log")
    assert "a_job: working" in capsys.readouterr().err
    assert "INFO working" in (tmp_path / "a.log").read_text()


def test_a_users_mistake_is_told_without_a_traceback(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(tmp_path / "a.log", UserError("x.nii.gz is empty; copy it again"))
    assert stopped.value.code == 1
    said = capsys.readouterr().err
    assert "a_job: x.nii.gz is empty; copy it again" in said
    assert "Traceback" not in said + (tmp_path / "a.log").read_text()


def test_a_log_that_may_not_be_written_is_told(capsys):
    with pytest.raises(SystemExit):
        run(Path("/sys/kernel/tumorseg/a.log"))
    assert "a.log: cannot be written" in capsys.readouterr().err


def test_a_full_disk_of_the_log_stops_nothing(tmp_path, capsys):
    (tmp_path / "a.log").symlink_to("/dev/full")
    run(tmp_path / "a.log")
    assert capsys.readouterr().err.splitlines() == ["a_job: working"]


def test_a_full_disk_of_the_record_stops_nothing(tmp_path, capsys, monkeypatch):
    def full(*_):
        raise UserError("a.job.json: cannot be written (No space left on device)")

    monkeypatch.setattr(console, "write_json", full)
    run(tmp_path / "a.log")
    assert capsys.readouterr().err.splitlines() == ["a_job: working"]


def test_ctrl_c_is_told_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(tmp_path / "a.log", KeyboardInterrupt())
    assert stopped.value.code == 130
    assert capsys.readouterr().err.splitlines() == ["a_job: working", "a_job: interrupted"]
    assert "Traceback" not in (tmp_path / "a.log").read_text()


def test_an_unexpected_error_leaves_its_traceback_in_the_log(tmp_path):
    with pytest.raises(SystemExit):
        run(tmp_path / "a.log", ZeroDivisionError("why"))
    assert "ZeroDivisionError: why" in (tmp_path / "a.log").read_text()


@pytest.mark.parametrize("error", [None, UserError("no")])
def test_the_log_ends_with_time_and_memory(tmp_path, error):
    with suppress(SystemExit):
        run(tmp_path / "a.log", error)
    assert "s, peak memory" in (tmp_path / "a.log").read_text().splitlines()[-1]


@pytest.mark.parametrize("error", [None, UserError("no")])
def test_a_job_leaves_a_record_of_its_end_time_and_memory(tmp_path, error):
    with suppress(SystemExit):
        run(tmp_path / "a.log", error)
    record = read_json(console.record_path(tmp_path / "a.log"))
    assert datetime.now() - datetime.fromisoformat(record["finished"]) < timedelta(minutes=1)
    assert record["seconds"] < 60
    assert record["peak_memory_mib"] > 5
    assert record["computed_in"] == ""


def test_the_record_says_in_what_the_network_computed_however_the_log_puts_it(tmp_path):
    with console.job("a_job", tmp_path / "a.log"):
        console.logger.info("off we go", extra={"computed_in": "fp16 on a GPU"})
        console.logger.info("working")
    assert read_json(console.record_path(tmp_path / "a.log"))["computed_in"] == "fp16 on a GPU"


def test_a_job_that_is_killed_leaves_no_record_of_a_run_before(tmp_path):
    run(tmp_path / "a.log")
    with console.job("a_job", tmp_path / "a.log"):
        assert not console.record_path(tmp_path / "a.log").exists()


def test_progress_says_how_far_it_is_and_what_is_left(capsys):
    with console.job("a_job", None):
        progress = console.Progress(3, "case", every=0)
        for case in ("a", "b", "c"):
            progress.step(case)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("a_job: case 1/3, a, 0:00 left")
    assert lines[2].startswith("a_job: case 3/3, c, done in 0:00")


def test_progress_is_not_said_more_often_than_asked(capsys):
    with console.job("a_job", None):
        progress = console.Progress(1000, "step", every=60)
        for _ in range(1000):
            progress.step()
    assert len(capsys.readouterr().err.splitlines()) == 1  # the last step


def say_once(log, message="computing on the CPU"):
    with console.job("a_job", log):
        console.logger.info("%s", message, extra=console.ONCE)


def test_what_is_said_once_reaches_the_terminal_from_the_first_job_of_a_run_and_every_log(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv(console.RUN_FOLDER, str(tmp_path))
    for name in ("a.log", "b.log"):
        say_once(tmp_path / name)
        assert "INFO computing on the CPU" in (tmp_path / name).read_text()
    say_once(tmp_path / "c.log", "computing on a GPU")
    assert capsys.readouterr().err.splitlines() == ["a_job: computing on the CPU", "a_job: computing on a GPU"]


@pytest.mark.parametrize("folder", ["", "/nowhere/at/all"])
def test_what_is_said_once_is_said_by_each_job_where_the_run_is_unknown(tmp_path, capsys, monkeypatch, folder):
    monkeypatch.setenv(console.RUN_FOLDER, folder)
    say_once(tmp_path / "a.log")
    say_once(tmp_path / "b.log")
    assert capsys.readouterr().err.splitlines() == ["a_job: computing on the CPU"] * 2
