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


def test_a_user_error_is_shown_without_a_traceback(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(tmp_path / "a.log", UserError("x.nii.gz is empty; copy it again"))
    assert stopped.value.code == 1
    output = capsys.readouterr().err
    assert "a_job: x.nii.gz is empty; copy it again" in output
    assert "Traceback" not in output + (tmp_path / "a.log").read_text()


def test_a_log_that_cannot_be_written_is_reported(capsys):
    with pytest.raises(SystemExit):
        run(Path("/sys/kernel/tumorseg/a.log"))
    assert "a.log: cannot be written" in capsys.readouterr().err


def test_a_full_disk_of_the_log_does_not_stop_the_job(tmp_path, capsys):
    (tmp_path / "a.log").symlink_to("/dev/full")
    run(tmp_path / "a.log")
    assert capsys.readouterr().err.splitlines() == ["a_job: working"]


def test_a_full_disk_of_the_record_does_not_stop_the_job(tmp_path, capsys, monkeypatch):
    def full(*_):
        raise UserError("a.job.json: cannot be written (No space left on device)")

    monkeypatch.setattr(console, "write_json", full)
    run(tmp_path / "a.log")
    assert capsys.readouterr().err.splitlines() == ["a_job: working"]


def test_ctrl_c_is_reported_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(tmp_path / "a.log", KeyboardInterrupt())
    assert stopped.value.code == 130
    assert capsys.readouterr().err.splitlines() == ["a_job: working", "a_job: interrupted"]
    assert "Traceback" not in (tmp_path / "a.log").read_text()


def test_the_log_has_the_traceback_of_an_unexpected_error(tmp_path):
    with pytest.raises(SystemExit):
        run(tmp_path / "a.log", ZeroDivisionError("why"))
    assert "ZeroDivisionError: why" in (tmp_path / "a.log").read_text()


@pytest.mark.parametrize("error", [None, UserError("no")])
def test_the_log_ends_with_time_and_memory(tmp_path, error):
    with suppress(SystemExit):
        run(tmp_path / "a.log", error)
    assert "s, peak memory" in (tmp_path / "a.log").read_text().splitlines()[-1]


@pytest.mark.parametrize("error", [None, UserError("no")])
def test_a_job_writes_a_record_with_its_end_run_time_and_memory(tmp_path, error):
    with suppress(SystemExit):
        run(tmp_path / "a.log", error)
    record = read_json(console.job_record_path(tmp_path / "a.log"))
    assert datetime.now() - datetime.fromisoformat(record["finished"]) < timedelta(minutes=1)
    assert record["seconds"] < 60
    assert record["peak_memory_mib"] > 5
    assert record["computed_in"] == ""


def test_the_record_has_precision_and_device_from_the_extra_of_a_log_call(tmp_path):
    with console.job("a_job", tmp_path / "a.log"):
        console.logger.info("computing", extra={"computed_in": "fp16 on a GPU"})
        console.logger.info("working")
    assert read_json(console.job_record_path(tmp_path / "a.log"))["computed_in"] == "fp16 on a GPU"


def test_a_job_deletes_the_record_of_an_earlier_run(tmp_path):
    run(tmp_path / "a.log")
    with console.job("a_job", tmp_path / "a.log"):
        assert not console.job_record_path(tmp_path / "a.log").exists()


def test_progress_shows_steps_and_the_time_left(capsys):
    with console.job("a_job", None):
        progress = console.Progress(3, "case", every_s=0)
        for case in ("a", "b", "c"):
            progress.step(case)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("a_job: case 1/3, a, 0:00 left")
    assert lines[2].startswith("a_job: case 3/3, c, done in 0:00")


def test_progress_is_not_shown_more_often_than_requested(capsys):
    with console.job("a_job", None):
        progress = console.Progress(1000, "step", every_s=60)
        for _ in range(1000):
            progress.step()
    assert len(capsys.readouterr().err.splitlines()) == 1  # the last step


def log_once(log, message="computing on the CPU"):
    with console.job("a_job", log):
        console.logger.info("%s", message, extra=console.ONCE)


def test_a_message_to_show_once_is_in_every_log_and_on_the_terminal_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(console.RUN_FOLDER, str(tmp_path))
    for name in ("a.log", "b.log"):
        log_once(tmp_path / name)
        assert "INFO computing on the CPU" in (tmp_path / name).read_text()
    log_once(tmp_path / "c.log", "computing on a GPU")
    assert capsys.readouterr().err.splitlines() == ["a_job: computing on the CPU", "a_job: computing on a GPU"]


@pytest.mark.parametrize("folder", ["", "/nowhere/at/all"])
def test_a_message_to_show_once_is_shown_by_each_job_if_the_run_is_unknown(tmp_path, capsys, monkeypatch, folder):
    monkeypatch.setenv(console.RUN_FOLDER, folder)
    log_once(tmp_path / "a.log")
    log_once(tmp_path / "b.log")
    assert capsys.readouterr().err.splitlines() == ["a_job: computing on the CPU"] * 2
