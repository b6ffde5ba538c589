"""What the terminal says, once in a run."""

import re


def test_device_and_threads_are_said_once_in_a_run_of_several_jobs_and_stand_in_every_log(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    run.configure({"demo": None, "training": {"threads": 3, "precision": "fp16"}})
    output = run.run("segment", options=("--config", "patients=cohort")).stdout
    logs = [path.read_text() for path in (run.results / "logs/segment_batch").glob("*.log")]
    assert len(logs) > 1
    for said in ("computing in fp32 on the CPU with 3 threads", "training.precision is fp16", "training.threads is 3,"):
        assert len(re.findall(re.escape(said), output)) == 1
        assert all(said in log for log in logs)
    assert "and this run has 2 CPU cores" in output or "and this run has 1 CPU core:" in output
