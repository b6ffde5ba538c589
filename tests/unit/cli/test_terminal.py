import logging

import pytest

from tumorseg.cli.terminal import TerseLines, result_lines


def record(text: str | None = None, level: int = logging.INFO, **fields) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": text, "levelno": level, **fields})


def started(rule: str, reason: str = "", output: tuple[str, ...] = ("a file",)) -> logging.LogRecord:
    return record(event="job_info", rule_name=rule, wildcards={"fold": "0"}, reason=reason, output=output)


def table(total: int = 9) -> logging.LogRecord:
    return record("a table", event="run_info", stats={"total": total})


@pytest.fixture
def lines():
    return make_lines()


def make_lines(*, dry_run: bool = False, every_s: float = 0) -> TerseLines:
    return TerseLines(
        logging.StreamHandler(),
        is_dry_run=lambda: dry_run,
        results=lambda: ["Report: here"],
        hint=lambda target: f"Try {target}s.",
        every_s=every_s,
    )


@pytest.mark.parametrize("event", ["job_finished", "resources_info", "workflow_started", "shellcmd"])
def test_details_of_each_job_are_hidden(lines, event):
    assert not lines.filter(record("Finished", event=event))


def test_unknown_lines_are_shown(lines):
    assert lines.filter(record("Removing output files of failed job train_epoch"))
    assert not lines.filter(record("Select jobs to execute..."))


@pytest.mark.parametrize("start", ["Config file x must be JSON", "Execute Snakemake with --rerun-incomplete"])
def test_warnings_and_errors_are_shown_whatever_their_first_words(lines, start):
    assert not lines.filter(record(start))
    assert lines.filter(record(start, logging.WARNING))
    assert lines.filter(record(start, logging.ERROR))


def test_the_hint_at_the_shared_cache_is_hidden(lines):
    assert not lines.filter(record("Workflow defines that rule x is eligible for caching", logging.WARNING))


@pytest.mark.parametrize("event", [None, "job_error", "error"])
def test_errors_are_shown_with_the_log_file_after_them(lines, event):
    assert not lines.filter(record("Complete log(s): x"))
    assert lines.filter(record("Directory cannot be locked", logging.ERROR, event=event))
    assert lines.filter(record("Complete log(s): x"))


def test_a_job_has_a_line_with_its_number_but_a_target_has_none(lines):
    assert not lines.filter(table(total=9))
    job = started("predict")
    assert lines.filter(job)
    assert lines.format(job) == "predict fold=0: job 1 of 9"
    assert not lines.filter(started("validate", output=()))


def test_progress_is_shown_at_intervals_and_not_at_the_end(lines):
    progress, last = (record(event="progress", done=done, total=9) for done in (3, 9))
    assert lines.filter(progress)
    assert lines.format(progress) == "3 of 9 jobs done"
    assert not lines.filter(last)
    assert not make_lines(every_s=60).filter(progress)


def test_a_dry_run_has_a_line_for_each_job_and_one_table():
    planned = make_lines(dry_run=True)
    job = started("predict", "Params have changed since last execution: before: a now: b")
    assert [planned.filter(one) for one in (table(), job, table())] == [False, True, True]
    assert planned.format(job) == "predict fold=0: Params have changed since last execution"
    assert planned.format(started("predict", "Missing output files: a")) == "predict fold=0: Missing output files: a"
    assert len(planned.format(started("predict", "Missing output files: " + "a, " * 1000))) < 400


def test_the_command_of_a_failed_job_is_hidden_but_its_status_is_shown(lines):
    assert lines.format(record("Command 'python x\ny' returned non-zero exit status 1.")) == (
        "The command returned non-zero exit status 1."
    )
    assert "memory ran out" in lines.format(record("Command 'python x' returned non-zero exit status 137."))


def test_files_and_command_of_a_failed_job_are_hidden_but_its_log_is_shown():
    handler, usual = logging.StreamHandler(), logging.Formatter()
    usual.format = lambda record: str([getattr(record, name) for name in ("input", "output", "log", "shellcmd")])
    handler.setFormatter(usual)
    fields = {"event": "job_error", "input": ["a"], "output": ["b"], "log": ["the log"], "shellcmd": "python"}
    lines = TerseLines(handler, is_dry_run=lambda: False, results=list, hint=str)
    assert lines.format(record("x", **fields)) == "[[], [], ['the log'], None]"


def test_the_results_are_listed_if_there_is_nothing_to_do(lines):
    assert lines.format(record("Nothing to be done (all is there).")) == (
        "Nothing to be done (all is there).\nReport: here"
    )


def test_an_unknown_target_is_reported_with_a_hint(lines):
    text = "MissingRuleException:\nNo rule to produce figure (if you use input functions make_lines sure …)."
    assert lines.format(record(text)) == "There is no target figure. Try figures."


def test_requested_results_that_exist_are_listed_in_the_order_of_the_titles(tmp_path):
    for name in ("a", "b", "not requested"):
        (tmp_path / name).touch()
    titles = {"not requested": "0", "b": "Scores", "missing": "1", "a": "Report"}
    assert result_lines(titles, ["a", "b", "missing"], tmp_path) == [
        f"Scores: {tmp_path / 'b'}",
        f"Report: {tmp_path / 'a'}",
    ]
