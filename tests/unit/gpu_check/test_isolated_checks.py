"""Checks that fail, crash or hang, each in a process of its own."""

import json
import os
import sys
import time
from dataclasses import replace

import pytest

from tests.gpu_check import isolated
from tests.gpu_check.check import Check, Figure, Result, Verdict
from tests.gpu_check.scale import reduced_scale

pytestmark = pytest.mark.slow

SCALE = reduced_scale("cpu")
PROGRAM = """
import sys
from tests.gpu_check.isolated import main
from tests.unit.gpu_check.test_isolated_checks import CHECKS
main(sys.argv[1:], CHECKS)
"""


def hold(scale, _folder):
    return Result.judged([Figure("threads", scale.threads)], [])


def fail(_scale, _folder):
    sys.stdout.write("before the error\n")
    sys.stdout.flush()
    raise RuntimeError("CUDA error: an illegal memory access\nsecond line")


def crash(_scale, _folder):
    os.abort()


def hang(_scale, _folder):
    time.sleep(600)


CHECKS = [Check(run.__name__, "a claim", run) for run in (hold, fail, crash, hang)]


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Return a function that runs a check of this module by name."""
    # A program with the checks of this module, instead of the module with those of the catalogue.
    original = isolated.subprocess.Popen

    def popen(command, **options):
        return original([sys.executable, "-c", PROGRAM, *command[3:]], **options)

    monkeypatch.setattr(isolated.subprocess, "Popen", popen)

    def run_named(name, timeout_s=120):
        (check,) = [check for check in CHECKS if check.name == name]
        return isolated.run_isolated(check, replace(SCALE, timeout_s=timeout_s), tmp_path)

    return run_named


def test_the_result_of_a_check_is_returned_with_its_time(run):
    result = run("hold")
    assert (result.verdict, result.figures, result.log) == (Verdict.HELD, (Figure("threads", 1),), "")
    assert result.seconds > 0


def test_an_error_is_a_claim_that_did_not_hold_with_the_log(run):
    result = run("fail")
    assert (result.verdict, result.reason) == (
        Verdict.FAILED,
        "RuntimeError: CUDA error: an illegal memory access",
    )
    assert result.log.startswith("before the error\nTraceback")
    assert "second line" in result.log


def test_a_crash_does_not_stop_the_others(run):
    result = run("crash")
    assert (result.verdict, result.reason) == (
        Verdict.FAILED,
        "the process of the check ended with status -6 without a result",
    )


def test_a_check_that_hangs_is_ended(run):
    result = run("hang", timeout_s=1)
    assert (result.verdict, result.reason) == (
        Verdict.FAILED,
        "the process of the check was ended after 1 s without a result",
    )


def test_an_old_result_is_not_taken_for_a_new_one(run, tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/crash.json").write_text(json.dumps(Result(Verdict.HELD).to_json()))
    assert run("crash").verdict is Verdict.FAILED
