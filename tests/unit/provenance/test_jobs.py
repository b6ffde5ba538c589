import pytest

from tumorseg.cli.console import job_record_path
from tumorseg.io.files import write_json
from tumorseg.provenance.jobs import Job, job_names, job_table, read_jobs

RULES = ("manifest", "train_epoch", "evaluate", "convert", "coregister")
NAMES = job_names(
    {"cohort": {"folds": 1}, "training": {"epochs": 2, "epochs_per_checkpoint": 1}},
    ["batch-000", "batch-001"],
    ["P-1"],
)


def record(seconds: float, peak_memory_mib: int, computed_in: str = "") -> dict:
    return {
        "finished": "2026-11-26 10:00:01",
        "seconds": seconds,
        "peak_memory_mib": peak_memory_mib,
        "computed_in": computed_in,
    }


def write_log(results, name, content=None, text="INFO working\n"):
    """Write a log and, if `content` is given, the record beside it."""
    log = results / "logs" / name
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(text)
    if content is not None:
        write_json(job_record_path(log), content)


@pytest.fixture
def results(tmp_path):
    write_log(tmp_path, "manifest.log", record(0.3, 70))
    write_log(tmp_path, "train_epoch/fold-0-epoch-0001.log", record(61.5, 900, "fp16 on NVIDIA H100"))
    write_log(tmp_path, "evaluate.log", record(4, 100))
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks/evaluate.tsv").write_text("s\tmax_rss\n4.5\t450.2\n")
    (tmp_path / "benchmarks/manifest.tsv").write_text("s\tmax_rss\n0.4\tNA\n")
    return tmp_path


def jobs_of(results):
    return {(job.rule, job.job): job for job in read_jobs(results, RULES, NAMES)}


ALL = {("manifest", ""), ("train_epoch", "fold-0-epoch-0001"), ("evaluate", "")}


def test_a_job_has_its_end_its_run_time_and_its_memory(results):
    assert jobs_of(results)["manifest", ""] == Job("manifest", "", "2026-11-26 10:00:01", 0.3, 70, "")


def test_a_job_has_the_precision_and_device_of_the_network(results):
    assert jobs_of(results)["train_epoch", "fold-0-epoch-0001"].computed_in == "fp16 on NVIDIA H100"


def test_the_memory_of_all_processes_is_preferred(results):
    assert jobs_of(results)["evaluate", ""].peak_memory_mib == 450.2


@pytest.mark.parametrize(
    "name", ["train_epoch/fold-0-epoch-0009.log", "calibration.log", "segment_batch/batch-001.log"]
)
def test_jobs_of_other_targets_and_earlier_settings_are_left_out(results, name):
    write_log(results, name, record(2, 3))
    assert set(jobs_of(results)) == ALL


def test_jobs_of_prepared_cases_are_named_by_case_and_channel(results):
    for name in ("P-1/convert", "P-1/coregister-t2", "P-1/to_atlas", "P-2/convert"):
        write_log(results, f"cohort/prepared/{name}.log", record(1, 50))
    assert set(jobs_of(results)) == {*ALL, ("convert", "P-1"), ("coregister", "P-1-t2")}


def test_a_killed_job_has_no_record_and_is_left_out(results):
    write_log(results, "train_epoch/fold-0-epoch-0002.log")
    assert set(jobs_of(results)) == ALL


def test_a_job_with_results_from_a_cache_is_left_out_despite_an_old_record(results):
    write_log(results, "train_epoch/fold-0-epoch-0002.log", record(2, 3), text="")
    assert set(jobs_of(results)) == ALL


@pytest.mark.parametrize("content", [[], {"seconds": 1}, {**record(1, 2), "seconds": "long"}])
def test_a_job_with_an_invalid_record_is_left_out(results, content):
    write_log(results, "train_epoch/fold-0-epoch-0002.log", content)
    assert set(jobs_of(results)) == ALL


def test_the_text_of_the_log_does_not_matter(results):
    write_log(results, "manifest.log", text="2026-11-26 10:00:02,5 INFO 9.0 s, peak memory 9 MiB\n")
    assert jobs_of(results)["manifest", ""].seconds == 0.3


def test_jobs_are_named_by_batch_case_fold_and_epoch():
    epochs = {"fold-0-epoch-0001", "fold-0-epoch-0002"}
    assert {"batch-000", "batch-001", "P-1", "fold-0", *epochs} == NAMES


def test_the_table_has_one_row_for_each_job(results):
    assert job_table(read_jobs(results, RULES, NAMES)).iloc[0].to_dict() == {
        "rule": "evaluate",
        "job": "",
        "finished": "2026-11-26 10:00:01",
        "seconds": 4.0,
        "peak_memory_mib": 450,
        "computed_in": "",
    }
