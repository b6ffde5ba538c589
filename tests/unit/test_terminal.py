import logging

import pytest

from tumorseg.terminal import TerseFilter, TerseFormatter, lines_of_results


def record(text: str | None = None, level: int = logging.INFO, **fields) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": text, "levelno": level, **fields})


def is_shown(*args, dry_run: bool = False, every_s: float = 0, **fields) -> bool:
    return TerseFilter(lambda: dry_run, every_s).filter(record(*args, **fields))


def text_of(*args, **fields) -> str:
    return TerseFormatter(logging.Formatter(), lambda: ["Report: here"]).format(record(*args, **fields))


@pytest.mark.parametrize("event", ["job_info", "job_finished", "resources_info", "workflow_started", "run_info"])
def test_what_snakemake_says_of_each_job_is_hidden(event):
    assert not is_shown("Execute", event=event)


def test_lines_that_are_not_known_are_shown():
    assert is_shown("Removing output files of failed job train_epoch")
    assert not is_shown("Select jobs to execute...")


@pytest.mark.parametrize("event", [None, "job_error", "error"])
def test_errors_are_shown_with_the_log_file_after_them(event):
    shown = TerseFilter(lambda: False)
    assert not shown.filter(record("Complete log(s): x"))
    assert shown.filter(record("Directory cannot be locked", logging.ERROR, event=event))
    assert shown.filter(record("Complete log(s): x"))


def test_progress_is_shown_at_intervals_and_not_at_the_end():
    assert is_shown(event="progress", done=3, total=9)
    assert not is_shown(event="progress", done=3, total=9, every_s=60)
    assert not is_shown(event="progress", done=9, total=9)
    assert text_of(event="progress", done=3, total=9) == "3 of 9 jobs done"


def test_a_dry_run_has_a_line_for_each_job_and_one_table():
    shown = TerseFilter(lambda: True)
    assert [shown.filter(record("table", event=event)) for event in ("run_info", "job_info", "run_info")] == [0, 1, 1]
    reason = "Params have changed since last execution: before: a now: b"
    line = text_of(event="job_info", rule_name="predict", wildcards={"fold": "0"}, reason=reason)
    assert line == "predict fold=0: Params have changed since last execution"


def test_the_command_of_a_failed_job_is_left_out_and_its_status_is_not():
    assert text_of("Command 'python x\ny' returned non-zero exit status 1.") == (
        "The command returned non-zero exit status 1."
    )
    assert "memory ran out" in text_of("Command 'python x' returned non-zero exit status 137.")


def test_files_and_command_of_a_failed_job_are_left_out_and_its_log_is_not():
    usual = logging.Formatter()
    usual.format = lambda record: str([getattr(record, name) for name in ("input", "output", "log", "shellcmd")])
    fields = {"event": "job_error", "input": ["a"], "output": ["b"], "log": ["the log"], "shellcmd": "python"}
    assert TerseFormatter(usual, list).format(record("x", **fields)) == "[[], [], ['the log'], None]"


def test_where_nothing_is_to_be_done_the_results_are_named():
    assert text_of("Nothing to be done (all is there).") == "Nothing to be done (all is there).\nReport: here"


def test_results_are_those_that_were_asked_for_and_exist_in_the_order_of_the_titles(tmp_path):
    for name in ("a", "b", "not asked for"):
        (tmp_path / name).touch()
    titles = {"not asked for": "0", "b": "Scores", "missing": "1", "a": "Report"}
    assert lines_of_results(titles, ["a", "b", "missing"], tmp_path) == [
        f"Scores: {tmp_path / 'b'}",
        f"Report: {tmp_path / 'a'}",
    ]


def test_a_target_that_does_not_exist_is_told_with_a_hint():
    shortened = TerseFormatter(logging.Formatter(), list, lambda target: f"Try {target}s.")
    text = "MissingRuleException:\nNo rule to produce figure (if you use input functions make sure …)."
    assert shortened.format(record(text)) == "There is no target figure. Try figures."
