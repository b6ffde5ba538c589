"""Run each check in a process of its own, so that a crash, a full GPU or a hanging one does not stop the others."""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tests.gpu_check.check import Check, Result, Verdict
from tests.gpu_check.scale import Scale
from tests.support.builders import REPOSITORY
from tumorseg.io.files import read_json, write_json

LOG_LINES = 40
"""Lines of the log that the result of a check keeps if its claim did not hold."""


def run_isolated(check: Check, scale: Scale, folder: Path) -> Result:
    """Run a check in a new process and return its result. Its lines go to `logs/NAME.log` in the folder."""
    log, written = folder / f"logs/{check.name}.log", folder / f"logs/{check.name}.json"
    log.parent.mkdir(parents=True, exist_ok=True)
    written.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.gpu_check.isolated", check.name, json.dumps(scale.to_json())]
    paths = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "scripts")])
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as lines:
        process = subprocess.Popen(
            [*command, str(folder), str(written)],
            stdout=lines,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": paths},
            start_new_session=True,  # so that its own processes end with it
        )
        ended = _wait(process, scale.timeout_s)
    if ended and written.exists():
        result = Result.from_json(read_json(written))
    else:
        how = f"ended with status {process.returncode}" if ended else f"was ended after {scale.timeout_s:g} s"
        result = Result.judged([], [f"the process of the check {how} without a result"])
    result = replace(result, seconds=round(time.monotonic() - began, 1))
    if result.verdict is not Verdict.FAILED:
        return result
    return replace(result, log="\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]))


def _wait(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """Wait for a process; return False if it took too long. Its group has ended afterwards, also after Ctrl-C."""
    try:
        process.wait(timeout_s)
        return True
    except subprocess.TimeoutExpired:
        return False
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run_here(check: Check, scale: Scale, folder: Path) -> Result:
    """Run a check in this process. An exception becomes a result, and its traceback is printed."""
    try:
        return check.run(scale, folder)
    except Exception as error:
        traceback.print_exc()
        first = str(error).strip().partition("\n")[0]
        return Result.judged([], [f"{type(error).__name__}: {first}"])


def main(arguments: list[str], checks: Iterable[Check] | None = None) -> None:
    """Run the check that the command line names, and write its result."""
    from tests.gpu_check.catalogue import all_checks

    name, scale_json, folder, written = arguments
    scale = Scale.from_json(json.loads(scale_json))
    (check,) = [check for check in checks or all_checks(scale) if check.name == name]
    write_json(Path(written), run_here(check, scale, Path(folder)).to_json())


if __name__ == "__main__":
    main(sys.argv[1:])
