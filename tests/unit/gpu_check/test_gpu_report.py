import json
import re

import pytest

from tests.gpu_check import command_line
from tests.gpu_check.catalogue import all_checks, choose
from tests.gpu_check.check import Check, Figure, Result, Verdict
from tests.gpu_check.machine import gpus
from tests.gpu_check.report import JSON, PAGE, Report
from tests.gpu_check.scale import full_scale, reduced_scale
from tests.support import documents
from tumorseg.errors import UserError

SCALE = reduced_scale("cpu")


def check(name):
    return Check(name, f"the claim of {name}", lambda *_: Result(Verdict.HELD))


@pytest.fixture
def report():
    results = [
        (
            check("slow"),
            Result(Verdict.FAILED, "1 > 0 & more", (Figure("time", 12.34567, "s"),), 3.0, "the <last> line"),
        ),
        (check("fine"), Result(Verdict.HELD)),
        (check("two"), Result.not_possible("this machine has 1 GPU")),
    ]
    return Report(SCALE, {"GPUs": "NVIDIA A, 550.1"}, results, [check("later")])


def test_both_files_have_everything(report, tmp_path):
    report.write(tmp_path)
    page = (tmp_path / PAGE).read_text()
    content = json.loads((tmp_path / JSON).read_text())
    assert content == report.to_json()
    for text in (
        "the claim of fine",
        "1 &gt; 0 &amp; more",
        "12.35 s",
        "the &lt;last&gt; line",
        "NVIDIA A, 550.1",
        "later",
    ):
        assert text in page
    assert "http" not in page.partition("</style>")[2].partition("<script>")[0]


def test_the_lines_end_with_what_did_not_hold(report):
    assert [line.split(":")[0].split()[-1] for line in report.lines()] == ["two", "fine", "slow"]
    assert report.lines()[-1] == "did not hold      slow: the claim of slow (1 > 0 & more)"
    assert report.summary() == "3 checks: 1 held, 1 did not hold, 1 not possible here"


def test_a_run_failed_if_a_claim_did_not_hold_or_nothing_ran(report):
    assert report.failed
    assert not Report(SCALE, {}, report.results[1:]).failed
    assert Report(SCALE, {}).failed


@pytest.mark.parametrize(("verdict", "status"), [(Verdict.HELD, 0), (Verdict.FAILED, 1), (Verdict.NOT_POSSIBLE, 0)])
def test_the_exit_status_says_whether_everything_held(monkeypatch, tmp_path, capsys, verdict, status):
    monkeypatch.setattr(command_line, "run_isolated", lambda *_: Result(verdict, "so", (Figure("time", 2, "s"),)))
    with pytest.raises(SystemExit) as ended:
        command_line.main(["--reduced", "--only", "device", "step-2", "--output", str(tmp_path / "out")])
    assert ended.value.code == status
    output = capsys.readouterr().out
    assert "[1/4] device: PyTorch computes" in output
    assert "    time: 2 s\n" in output
    assert f"4 checks: {4 if status == 0 and verdict is Verdict.HELD else 0} held" in output
    assert "demo" in json.loads((tmp_path / "out" / JSON).read_text())["not_run"]


def test_a_folder_with_files_is_refused(tmp_path):
    (tmp_path / "old").touch()
    with pytest.raises(SystemExit, match="this folder is not empty"):
        command_line.main(["--reduced", "--only", "device", "--output", str(tmp_path)])


def test_a_full_run_needs_a_gpu(monkeypatch, tmp_path):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(SystemExit, match="torch sees no GPU on this machine"):
        command_line.main(["--output", str(tmp_path)])


def test_an_unknown_check_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match=r"there is no check trainings; the checks are device, "):
        choose(all_checks(SCALE), ["trainings"])


def test_the_reduced_form_claims_nothing_about_speed_memory_and_dice():
    def claims(scale):
        return " ".join(check.claim for check in all_checks(scale))

    for limit in ("near the estimate", "1.1 times", "the Dice that"):
        assert limit in claims(full_scale())
        assert limit not in claims(SCALE)


@pytest.mark.parametrize("scale", [full_scale(), SCALE])
def test_names_of_checks_are_unique(scale):
    names = [check.name for check in all_checks(scale)]
    assert len(set(names)) == len(names) > 15


def test_the_documentation_lists_the_checks():
    rows = re.findall(
        r"^\| (`.+?) \|", documents.text_of("workflow/docs/gpu_check.md").split("## Checks")[1], re.MULTILINE
    )
    named = [name for row in rows for name in re.findall(r"`([\w-]+)`", row)]
    assert sorted(named) == sorted(check.name for check in all_checks(full_scale()))


def test_the_gpus_are_those_of_the_driver(monkeypatch, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA A, 550.1, 80 GiB, 9.0'\necho 'NVIDIA B, 550.1, 24 GiB, 8.6'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert gpus() == "NVIDIA A, 550.1, 80 GiB, 9.0; NVIDIA B, 550.1, 24 GiB, 8.6"
    program.write_text("#!/bin/sh\necho 'no driver'\nexit 9\n")
    assert gpus() == "unknown: nvidia-smi failed (no driver)"
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert gpus() == "unknown: nvidia-smi is not installed"
