"""Malicious checkpoints, and errors of the machine that are not problems of a checkpoint."""

import os
import pickle
import zipfile

import pytest
import torch

from tests.support.builders import TASK, recipe
from tests.unit.training.test_checkpoint import DATA, checkpoint, codes, rewrite  # noqa: F401 (a fixture)
from tumorseg.errors import UserError
from tumorseg.io.digests import sha256
from tumorseg.io.files import read_json, write_json
from tumorseg.training.checkpoint import checkpoint_record_path, load_checkpoint
from tumorseg.training.selection import history_table
from tumorseg.training.verification import archive_problem, checkpoint_problems


def problem_of(path):
    (problem,) = checkpoint_problems(path, recipe(), DATA, 1)
    return problem.code, problem.message


def update_record(path):
    """Write the current digest of the checkpoint to its record."""
    write_json(checkpoint_record_path(path), read_json(checkpoint_record_path(path)) | {"digest": sha256(path)})


def repack(path, change, compression=zipfile.ZIP_STORED):
    """Rewrite the archive with the members, content by name, that `change` returns."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in change(members).items():
            archive.writestr(name, content)
    update_record(path)


def test_an_archive_written_by_torch_is_valid(checkpoint):  # noqa: F811
    assert archive_problem(checkpoint) is None
    repack(checkpoint, lambda members: members)
    assert archive_problem(checkpoint) is None


def test_compressed_members_are_refused_before_they_are_unpacked(checkpoint, monkeypatch):  # noqa: F811
    monkeypatch.setattr(
        "tumorseg.training.verification.load_checkpoint", lambda _: pytest.fail("the archive was opened")
    )
    repack(checkpoint, lambda members: members | {"archive/data/0": bytes(2**26)}, zipfile.ZIP_DEFLATED)
    assert checkpoint.stat().st_size < 2**21
    code, message = problem_of(checkpoint)
    assert (code, "compressed member (archive/data.pkl)" in message) == ("wrong_archive", True)


def test_members_that_share_bytes_are_refused(checkpoint):  # noqa: F811
    content = bytearray(checkpoint.read_bytes())
    with zipfile.ZipFile(checkpoint) as archive:
        first, *_, last = archive.infolist()
        directory_start = archive.start_dir
    entry = content.rindex(last.filename.encode()) - 46
    assert entry > directory_start
    content[entry + 42 : entry + 46] = first.header_offset.to_bytes(4, "little")
    checkpoint.write_bytes(content)
    update_record(checkpoint)
    assert problem_of(checkpoint)[0] == "wrong_archive"


def test_a_member_that_claims_more_than_the_file_holds_is_refused(checkpoint):  # noqa: F811
    content = bytearray(checkpoint.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 20 : entry + 28] = (2**31).to_bytes(4, "little") * 2
    checkpoint.write_bytes(content)
    update_record(checkpoint)
    code, message = problem_of(checkpoint)
    assert (code, "larger than the file" in message) == ("wrong_archive", True)


def test_an_oversized_directory_is_refused_before_it_is_read(checkpoint):  # noqa: F811
    repack(checkpoint, lambda members: members | {f"archive/data/{number:060d}": b"" for number in range(50_000)})
    code, message = problem_of(checkpoint)
    assert (code, "directory" in message) == ("wrong_archive", True)


def test_a_file_far_too_large_for_the_configured_network_is_not_read(checkpoint, monkeypatch):  # noqa: F811
    os.truncate(checkpoint, 100 * 2**30)  # sparse
    monkeypatch.setattr("tumorseg.training.verification.sha256", lambda _: pytest.fail("the file was read"))
    code, message = problem_of(checkpoint)
    assert (code, "at most" in message) == ("wrong_archive", True)


def test_the_old_format_of_torch_is_refused(checkpoint):  # noqa: F811
    torch.save(load_checkpoint(checkpoint), checkpoint, _use_new_zipfile_serialization=False)
    update_record(checkpoint)
    assert problem_of(checkpoint) == ("wrong_archive", "is not an archive as torch.save writes it")


def test_tensors_with_more_elements_than_memory_are_refused(checkpoint):  # noqa: F811
    content = load_checkpoint(checkpoint)
    content["weights"]["heads.0.bias"] = torch.zeros(1).expand(10**12)
    rewrite(checkpoint, content)
    code, message = problem_of(checkpoint)
    assert (code, "weights.heads.0.bias" in message) == ("wrong_content", True)


def test_nested_shared_lists_are_visited_once(checkpoint):  # noqa: F811
    nested = []
    for _ in range(60):
        nested = [nested, nested]
    rewrite(checkpoint, load_checkpoint(checkpoint) | {"execution": nested})
    assert len(codes(checkpoint)) <= 1


@pytest.mark.parametrize("which", ["checkpoint", "record"])
def test_a_pipe_instead_of_a_file_is_refused_without_waiting(checkpoint, which):  # noqa: F811
    path = checkpoint if which == "checkpoint" else checkpoint_record_path(checkpoint)
    path.unlink()
    os.mkfifo(path)
    assert codes(checkpoint) == (["no_file"] if which == "checkpoint" else ["no_record"])


def test_an_oversized_record_is_not_read(checkpoint):  # noqa: F811
    os.truncate(checkpoint_record_path(checkpoint), 10 * 2**30)
    assert codes(checkpoint) == ["no_record"]


@pytest.mark.parametrize("name", ["load_checkpoint", "sha256", "read_json", "probe"])
@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        OSError(13, "Permission denied"),
        OSError(24, "Too many open files"),
        OSError(116, "Stale file handle"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_errors_of_the_machine_are_not_problems_of_the_checkpoint(checkpoint, monkeypatch, name, error):  # noqa: F811
    def fail(*_):
        raise error

    monkeypatch.setattr(f"tumorseg.training.verification.{name}", fail)
    with pytest.raises(UserError, match=r"epoch-0001\.pt: .* may be valid; .* run again"):
        checkpoint_problems(checkpoint, recipe(), DATA, 1)


def test_a_record_that_cannot_be_read_now_is_an_error_for_the_history(checkpoint, monkeypatch):  # noqa: F811
    def fail(*_, **__):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("pathlib.Path.read_text", fail)
    with pytest.raises(UserError, match=r"epoch-0001\.json: cannot be read now \(Too many open files\)"):
        history_table([checkpoint], TASK)


def test_a_record_without_read_permission_is_not_a_problem_of_the_checkpoint(checkpoint, monkeypatch):  # noqa: F811
    def fail(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_text", fail)
    with pytest.raises(UserError, match=r"epoch-0001\.json: cannot be read now \(Permission denied\)"):
        checkpoint_problems(checkpoint, recipe(), DATA, 1)


def test_a_file_that_the_disk_cannot_read_is_refused(checkpoint, monkeypatch):  # noqa: F811
    def fail(_path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("tumorseg.training.verification.sha256", fail)
    assert codes(checkpoint) == ["unreadable"]


class Malicious:
    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return (open, (str(self.witness), "w"))


def test_a_malicious_pickle_is_refused_without_running_it(checkpoint, tmp_path):  # noqa: F811
    rewrite(checkpoint, {"weights": Malicious(tmp_path / "ran")})
    assert codes(checkpoint) == ["unsafe"]
    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(Malicious(tmp_path / "ran")))  # the pickle is indeed malicious
    assert (tmp_path / "ran").exists()
