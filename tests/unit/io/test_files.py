import errno
import os
import socket
import subprocess
from pathlib import Path

import pytest

from tumorseg.errors import UserError
from tumorseg.io.digests import sha256
from tumorseg.io.files import (
    atomic_write,
    cache_locations,
    is_transient,
    read_json,
    require_regular_file,
    write_bytes,
    write_json,
    write_text,
)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "before")

    with pytest.raises(FileNotFoundError), atomic_write(path) as temporary:
        temporary.write_text("half") and (tmp_path / "missing").read_text()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_file_keeps_the_suffixes(tmp_path):
    with atomic_write(tmp_path / "a.nii.gz") as temporary:
        temporary.write_bytes(b"x")
        assert temporary.name.endswith(".nii.gz")
        assert temporary.parent == tmp_path
    assert (tmp_path / "a.nii.gz").read_bytes() == b"x"


def test_folders_are_made(tmp_path):
    write_text(tmp_path / "a/b/c.txt", "x")
    assert (tmp_path / "a/b/c.txt").read_text() == "x"


def test_json_is_sorted_and_read_back(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": [1.5, None]})
    assert (tmp_path / "a.json").read_text().index('"a"') < (tmp_path / "a.json").read_text().index('"b"')
    assert read_json(tmp_path / "a.json") == {"a": [1.5, None], "b": 1}


def test_nan_is_refused_as_json(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"dice": float("nan")})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["{", "", "\xff"])
def test_corrupted_json_is_reported_with_its_file(tmp_path, content):
    (tmp_path / "a.json").write_text(content, encoding="latin-1")
    with pytest.raises(
        UserError, match=r"a\.json: this file is missing or corrupted .* delete .*a\.json and run again"
    ):
        read_json(tmp_path / "a.json")


def test_corrupted_json_from_the_cache_is_reported_with_both_paths(tmp_path):
    (tmp_path / "kept.json").write_text("{")
    (tmp_path / "a.json").symlink_to(tmp_path / "kept.json")
    with pytest.raises(UserError, match=r"delete .*a\.json and .*kept\.json and run again"):
        read_json(tmp_path / "a.json")


def test_sha256_equals_the_published_value(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_full_disk_is_reported_and_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "epoch-0001.pt"
    write_bytes(path, b"before")

    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"epoch-0001\.pt: cannot be written \(No space left.*free space on its disk"):
        write_bytes(path, b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_without_write_permission_is_reported():
    # No user, not even root, can make files here.
    with pytest.raises(UserError, match=r"epoch-0001\.pt: cannot be written .*give permission to write to its folder"):
        write_bytes(Path("/sys/kernel/tumorseg/epoch-0001.pt"), b"content")


def test_the_next_write_removes_temporaries_of_killed_processes_only(tmp_path):
    killed = subprocess.Popen(["true"])
    killed.wait()
    here = socket.gethostname()
    stale, of_another_file = (tmp_path / f".tmp-{here}-{killed.pid}-{name}" for name in ("a[1].pt", "b-a[1].pt"))
    under_way = tmp_path / f".tmp-{here}-{os.getppid()}-a[1].pt"
    elsewhere = tmp_path / f".tmp-node-7-{killed.pid}-a[1].pt"
    for path in (stale, of_another_file, under_way, elsewhere):
        path.write_bytes(b"half")
    write_bytes(tmp_path / "a[1].pt", b"whole")
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "a[1].pt", of_another_file, under_way, elsewhere])


def test_the_size_of_a_regular_file_is_returned_and_links_are_followed(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("a")
    assert require_regular_file(tmp_path / "link") == 3


def test_a_file_that_is_not_regular_is_refused_by_kind_and_not_opened(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "socket"))
        kinds = {"fifo": "a FIFO", "zero": "a device", "socket": "a socket", ".": "a folder"}
        for name, kind in kinds.items():
            with pytest.raises(UserError, match=f"this is {kind}"):
                require_regular_file(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        require_regular_file(tmp_path / "absent")


@pytest.mark.parametrize(
    "number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ETIMEDOUT, errno.EINTR]
)
def test_an_error_of_the_machine_is_transient(number):
    assert is_transient(OSError(number, os.strerror(number)))


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.EIO, errno.ELOOP])
def test_an_error_of_the_file_is_not_transient(number):
    assert not is_transient(OSError(number, os.strerror(number)))


def test_cached_copies_of_linked_folders_and_folders_of_links_are_found(tmp_path):
    cached = tmp_path / "cached"
    cached.mkdir()
    (cached / "case").touch()
    (tmp_path / "linked").symlink_to(cached)
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "case").symlink_to(cached / "case")
    for name in ("linked", "links"):
        assert cache_locations(tmp_path / name) == [tmp_path / name, cached]
    assert cache_locations(cached) == [cached]
