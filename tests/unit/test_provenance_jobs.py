import pytest

from tumorseg.provenance.jobs import Job, names, read_jobs, table

RULES = ("manifest", "train_epoch", "evaluate")
NAMES = names(
    {"cohort": {"folds": 1}, "training": {"epochs": 2, "epochs_per_checkpoint": 1}}, ["batch-000", "batch-001"]
)
END = "2026-11-26 10:00:{} INFO {} s, peak memory {} MiB\n"


@pytest.fixture
def results(tmp_path):
    logs = {
        "manifest.log": END.format("01,5", 0.3, 70),
        "train_epoch/fold-0-epoch-0001.log": (
            "2026-11-26 10:00:00,1 INFO computing in fp16 on NVIDIA H100\n" + END.format("59,9", 61.5, 900)
        ),
        "train_epoch/fold-0-epoch-0002.log": "2026-11-26 10:01:00,1 INFO computing in fp16 on NVIDIA H100\n",
        "train_epoch/fold-0-epoch-0009.log": END.format("02,1", 2, 3),
        "calibration.log": END.format("04,1", 2, 3),
        "segment_batch/batch-001.log": END.format("04,1", 2, 3),
        "evaluate.log": END.format("03,1", 4, 100),
    }
    for name, text in logs.items():
        (tmp_path / "logs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "logs" / name).write_text(text)
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks/evaluate.tsv").write_text("s\tmax_rss\n4.5\t450.2\n")
    (tmp_path / "benchmarks/manifest.tsv").write_text("s\tmax_rss\n0.4\tNA\n")
    return tmp_path


@pytest.fixture
def jobs(results):
    return {(job.rule, job.job): job for job in read_jobs(results, RULES, NAMES)}


def test_a_log_tells_when_a_job_ended_how_long_it_took_and_what_it_held(jobs):
    assert jobs["manifest", ""] == Job("manifest", "", "2026-11-26 10:00:01", 0.3, 70, "")


def test_a_log_tells_on_what_the_network_was_computed(jobs):
    assert jobs["train_epoch", "fold-0-epoch-0001"].computed_in == "fp16 on NVIDIA H100"


def test_the_memory_of_all_processes_counts_where_it_was_measured(jobs):
    assert jobs["evaluate", ""].peak_memory == 450.2


def test_killed_jobs_other_targets_and_earlier_settings_are_left_out(jobs):
    assert set(jobs) == {("manifest", ""), ("train_epoch", "fold-0-epoch-0001"), ("evaluate", "")}


def test_jobs_are_named_by_batch_fold_and_epoch():
    assert {"batch-000", "batch-001", "fold-0", "fold-0-epoch-0001", "fold-0-epoch-0002"} == NAMES


def test_the_table_has_a_row_a_job(jobs):
    assert table(jobs.values()).iloc[0].to_dict() == {
        "rule": "evaluate",
        "job": "",
        "finished": "2026-11-26 10:00:03",
        "seconds": 4.0,
        "peak_memory_mib": 450,
        "computed_in": "",
    }
