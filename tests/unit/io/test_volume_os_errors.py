"""An error of the machine while a file is read is no problem of the file: it stops the job and names the file."""

import errno
import os
from pathlib import Path

import pytest

from tests.support.case_files import CASE, path_of, validated, write_valid_case
from tumorseg.evaluation.masks import MaskReadOptions, read_reference
from tumorseg.io import volume
from tumorseg.io.volume import read_volume
from tumorseg.io.volume_errors import VolumeError
from tumorseg.task import load_task

TRANSIENT = [errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTDOWN]


@pytest.fixture
def path(tmp_path):
    return path_of(write_valid_case(tmp_path), "t2")


@pytest.fixture
def failing(monkeypatch, path):
    """Return a function that makes opening one file, and no other, fail with an error."""

    def fail(error: Exception, file: Path = path):
        opened = Path.open

        def open_(self, *arguments, **options):
            if self == file:
                raise error
            return opened(self, *arguments, **options)

        monkeypatch.setattr(Path, "open", open_)

    return fail


@pytest.mark.parametrize("number", TRANSIENT)
def test_an_error_of_the_machine_is_raised_and_names_the_file(path, failing, number):
    failing(OSError(number, os.strerror(number)))
    with pytest.raises(OSError, match=path.name) as error:
        read_volume(path)
    assert error.value.errno == number


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ENOENT])
def test_an_error_of_the_file_is_a_volume_error_without_digest(path, failing, number):
    failing(OSError(number, os.strerror(number)))
    with pytest.raises(VolumeError) as caught:
        read_volume(path)
    assert (caught.value.code, caught.value.digest) == ("unreadable", None)


@pytest.mark.parametrize("where", ["_read_file", "_decode", "_scale_intensities"])
def test_a_memory_error_anywhere_is_raised_and_names_the_file(path, monkeypatch, where):
    def too_much(*_):
        raise MemoryError

    monkeypatch.setattr(volume, where, too_much)
    with pytest.raises(MemoryError, match=path.name):
        read_volume(path)


def test_an_error_of_the_machine_is_no_problem_of_the_case(tmp_path, path, failing):
    failing(OSError(errno.EMFILE, os.strerror(errno.EMFILE)))
    with pytest.raises(OSError, match=path.name):
        validated(tmp_path)


@pytest.mark.usefixtures("path")
def test_a_folder_that_cannot_be_listed_now_is_no_problem_of_the_case(tmp_path, monkeypatch):
    listed = os.listdir

    def list_(folder):
        if Path(folder) == tmp_path / CASE:
            raise OSError(errno.ENFILE, os.strerror(errno.ENFILE), str(folder))
        return listed(folder)

    monkeypatch.setattr(os, "listdir", list_)
    with pytest.raises(OSError, match=CASE):
        validated(tmp_path)


def test_a_mask_that_does_not_fit_in_memory_raises(tmp_path, failing):
    file = path_of(tmp_path, "seg")
    failing(MemoryError(), file)
    with pytest.raises(MemoryError, match=file.name):
        read_reference(file, "a", MaskReadOptions(load_task()))


def test_a_file_that_grows_while_it_is_read_is_refused(path, monkeypatch):
    content = path.read_bytes()
    size = path.stat()

    def smaller(_, **__):
        fields = list(size)
        fields[6] = len(content) - 10
        return os.stat_result(fields)

    monkeypatch.setattr(Path, "stat", smaller)
    with pytest.raises(VolumeError, match="grew while it was read"):
        read_volume(path)
