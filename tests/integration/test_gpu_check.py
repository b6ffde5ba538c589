"""The GPU check in its reduced form on a CPU, with the demo: repeated, resumed, in two processes."""

import json
import os
import subprocess
import sys

import pytest

from tests.gpu_check.report import JSON, PAGE
from tests.support.builders import REPOSITORY

pytestmark = pytest.mark.release
NEEDS_A_GPU = {
    *(f"agreement-{precision}" for precision in ("fp16", "bf16", "fp32")),
    *("pinned-batches", "prediction-waits", "too-little-memory"),
    *("step-2-fp16", "step-4-fp16"),
}


def test_the_reduced_form_holds_on_a_cpu(tmp_path):
    command = [sys.executable, "-m", "tests.gpu_check", "--reduced", "--output", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts"), "CUDA_VISIBLE_DEVICES": ""}
    completed = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout[-8000:]
    content = json.loads((tmp_path / "out" / JSON).read_text())
    verdicts = {check["name"]: check["verdict"] for check in content["checks"]}
    assert {name for name, verdict in verdicts.items() if verdict == "not possible here"} == NEEDS_A_GPU
    assert {verdict for name, verdict in verdicts.items() if name not in NEEDS_A_GPU} == {"held"}
    figures = {check["name"]: {each["name"]: each["value"] for each in check["figures"]} for check in content["checks"]}
    assert figures["demo-repeated"]["checkpoints with the same bits"] == 3
    assert figures["demo-resumed"]["checkpoints with the same bits"] == 3
    assert figures["demo-default"]["a training with `deterministic` has the same bits (1: yes)"] == 1
    assert (tmp_path / "out" / PAGE).stat().st_size < 200_000
