"""Checkpoints that are made to harm, and troubles of the machine that are no verdict on a checkpoint."""

import os
import pickle
import zipfile

import pytest
import torch

from tests.support.builders import TASK, recipe
from tests.unit.training.test_checkpoint import DATA, checkpoint, codes, rewrite  # noqa: F401 (a fixture)
from tumorseg.errors import UserError
from tumorseg.io.files import read_json, sha256, write_json
from tumorseg.training.checkpoint import load_checkpoint, record_path
from tumorseg.training.selection import history_table
from tumorseg.training.verification import archive_problem, checkpoint_problems


def said(path):
    (problem,) = checkpoint_problems(path, recipe(), DATA, 1)
    return problem.code, problem.message


def vouch(path):
    """Make the record vouch for the file as it is now."""
    write_json(record_path(path), read_json(record_path(path)) | {"digest": sha256(path)})


def repack(path, change, compression=zipfile.ZIP_STORED):
    """Write the archive anew, each member's content through `change`."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in change(members).items():
            archive.writestr(name, content)
    vouch(path)


def test_what_torch_writes_is_an_archive_without_a_problem(checkpoint):  # noqa: F811
    assert archive_problem(checkpoint) is None
    repack(checkpoint, lambda members: members)
    assert archive_problem(checkpoint) is None


def test_compressed_members_are_refused_before_they_are_unpacked(checkpoint, monkeypatch):  # noqa: F811
    monkeypatch.setattr(
        "tumorseg.training.verification.load_checkpoint", lambda _: pytest.fail("the archive was opened")
    )
    repack(checkpoint, lambda members: members | {"archive/data/0": bytes(2**26)}, zipfile.ZIP_DEFLATED)
    assert checkpoint.stat().st_size < 2**21
    code, message = said(checkpoint)
    assert (code, "compressed member (archive/data.pkl)" in message) == ("wrong_archive", True)


def test_members_that_share_bytes_are_refused(checkpoint):  # noqa: F811
    content = bytearray(checkpoint.read_bytes())
    with zipfile.ZipFile(checkpoint) as archive:
        first, *_, last = archive.infolist()
        place = archive.start_dir
    entry = content.rindex(last.filename.encode()) - 46
    assert entry > place
    content[entry + 42 : entry + 46] = first.header_offset.to_bytes(4, "little")
    checkpoint.write_bytes(content)
    vouch(checkpoint)
    assert said(checkpoint)[0] == "wrong_archive"


def test_a_member_that_claims_more_than_the_file_holds_is_refused(checkpoint):  # noqa: F811
    content = bytearray(checkpoint.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 20 : entry + 28] = (2**31).to_bytes(4, "little") * 2
    checkpoint.write_bytes(content)
    vouch(checkpoint)
    code, message = said(checkpoint)
    assert (code, "larger than the file" in message) == ("wrong_archive", True)


def test_a_directory_of_absurd_length_is_refused_before_it_is_read(checkpoint):  # noqa: F811
    repack(checkpoint, lambda members: members | {f"archive/data/{number:060d}": b"" for number in range(50_000)})
    code, message = said(checkpoint)
    assert (code, "directory" in message) == ("wrong_archive", True)


def test_a_file_far_larger_than_the_configured_network_is_refused_unread(checkpoint, monkeypatch):  # noqa: F811
    os.truncate(checkpoint, 100 * 2**30)  # sparse
    monkeypatch.setattr("tumorseg.training.verification.sha256", lambda _: pytest.fail("the file was read"))
    code, message = said(checkpoint)
    assert (code, "at most" in message) == ("wrong_archive", True)


def test_the_format_that_torch_wrote_before_archives_is_refused(checkpoint):  # noqa: F811
    torch.save(load_checkpoint(checkpoint), checkpoint, _use_new_zipfile_serialization=False)
    vouch(checkpoint)
    assert said(checkpoint) == ("wrong_archive", "is not an archive as torch.save writes it")


def test_tensors_that_stand_for_more_values_than_they_hold_are_refused(checkpoint):  # noqa: F811
    content = load_checkpoint(checkpoint)
    content["weights"]["heads.0.bias"] = torch.zeros(1).expand(10**12)
    rewrite(checkpoint, content)
    code, message = said(checkpoint)
    assert (code, "weights.heads.0.bias" in message) == ("wrong_content", True)


def test_lists_that_hold_each_other_end(checkpoint):  # noqa: F811
    nested = []
    for _ in range(60):
        nested = [nested, nested]
    rewrite(checkpoint, load_checkpoint(checkpoint) | {"execution": nested})
    assert len(codes(checkpoint)) <= 1


@pytest.mark.parametrize("which", ["checkpoint", "record"])
def test_a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for(checkpoint, which):  # noqa: F811
    path = checkpoint if which == "checkpoint" else record_path(checkpoint)
    path.unlink()
    os.mkfifo(path)
    assert codes(checkpoint) == (["no_file"] if which == "checkpoint" else ["no_record"])


def test_a_record_of_absurd_size_is_not_read(checkpoint):  # noqa: F811
    os.truncate(record_path(checkpoint), 10 * 2**30)
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
def test_what_the_machine_causes_is_no_verdict_on_the_checkpoint(checkpoint, monkeypatch, name, error):  # noqa: F811
    def fail(*_):
        raise error

    monkeypatch.setattr(f"tumorseg.training.verification.{name}", fail)
    with pytest.raises(UserError, match=r"epoch-0001\.pt: .* may be valid; .* run again"):
        checkpoint_problems(checkpoint, recipe(), DATA, 1)


def test_a_record_that_cannot_be_read_now_is_not_left_out_of_the_history(checkpoint, monkeypatch):  # noqa: F811
    def fail(*_, **__):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("pathlib.Path.read_text", fail)
    with pytest.raises(UserError, match=r"epoch-0001\.json: cannot be read now \(Too many open files\)"):
        history_table([checkpoint], TASK)


def test_a_record_without_permission_to_read_is_no_verdict_on_the_checkpoint(checkpoint, monkeypatch):  # noqa: F811
    def fail(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_text", fail)
    with pytest.raises(UserError, match=r"epoch-0001\.json: cannot be read now \(Permission denied\)"):
        checkpoint_problems(checkpoint, recipe(), DATA, 1)


def test_a_file_that_the_disk_does_not_give_is_refused(checkpoint, monkeypatch):  # noqa: F811
    def fail(_path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("tumorseg.training.verification.sha256", fail)
    assert codes(checkpoint) == ["unreadable"]


class Malicious:
    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return (open, (str(self.witness), "w"))


def test_a_malicious_pickle_is_refused_and_not_run(checkpoint, tmp_path):  # noqa: F811
    rewrite(checkpoint, {"weights": Malicious(tmp_path / "ran")})
    assert codes(checkpoint) == ["unsafe"]
    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(Malicious(tmp_path / "ran")))  # the bait itself works
    assert (tmp_path / "ran").exists()
