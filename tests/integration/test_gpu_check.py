"""The GPU check in its reduced form on a CPU, with the demo: repeated, resumed, in two processes."""

import json
import os
import subprocess
import sys

import pytest

from tests.gpu_check.catalogue import all_checks
from tests.gpu_check.report import JSON, PAGE
from tests.gpu_check.scale import reduced_scale
from tests.support.builders import REPOSITORY

NEEDS_A_GPU = {
    *(f"agreement-{precision}" for precision in ("fp16", "bf16", "fp32")),
    *("pinned-batches", "prediction-waits", "too-little-memory"),
    *("step-2-fp16", "step-4-fp16"),
}


def run_reduced_form(folder, *options):
    """Run the reduced form, and return the verdict and the figures of each check; fail if a check did not hold."""
    command = [sys.executable, "-m", "tests.gpu_check", "--reduced", "--output", str(folder), *options]
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
    checks = json.loads((folder / JSON).read_text())["checks"]
    verdicts = {check["name"]: check["verdict"] for check in checks}
    assert {name for name, verdict in verdicts.items() if verdict == "not possible here"} == NEEDS_A_GPU
    assert {verdict for name, verdict in verdicts.items() if name not in NEEDS_A_GPU} == {"held"}
    assert (folder / PAGE).stat().st_size < 200_000
    return {check["name"]: {each["name"]: each["value"] for each in check["figures"]} for check in checks}


@pytest.mark.slow
def test_the_reduced_form_without_the_demo_holds_on_a_cpu(tmp_path):
    names = [check.name for check in all_checks(reduced_scale("cpu"))]
    without_the_demo = [name for name in names if not name.startswith(("demo", "two-gpus"))]
    assert list(run_reduced_form(tmp_path / "out", "--only", *without_the_demo)) == without_the_demo


@pytest.mark.release
def test_the_reduced_form_holds_on_a_cpu(tmp_path):
    figures = run_reduced_form(tmp_path / "out")
    assert figures["demo-repeated"]["checkpoints with the same bits"] == 3
    assert figures["demo-resumed"]["checkpoints with the same bits"] == 3
    assert figures["demo-default"]["a training with `deterministic` has the same bits (1: yes)"] == 1
