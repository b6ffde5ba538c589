"""The tests never change the configuration of another Slurm cluster."""

import os

import pytest

from tests.slurm import configuration


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(configuration, "PLACE", tmp_path / "etc")
    return tmp_path / "etc"


def test_a_written_configuration_can_be_removed(place, tmp_path):
    configuration.write(tmp_path)
    assert sorted(path.name for path in place.iterdir()) == ["gres.conf", "slurm.conf"]
    configuration.remove_left_over()  # its process, this one, is alive
    assert len(list(place.iterdir())) == 2
    configuration.remove()
    assert list(place.iterdir()) == []


LIVING_KEEPER = f"{configuration.MARK}{os.getpid()}\n"


@pytest.mark.parametrize("content", ["ClusterName=real\n", "", LIVING_KEEPER], ids=["real", "empty", "kept"])
def test_an_existing_cluster_stays(place, tmp_path, content):
    place.mkdir()
    (place / "slurm.conf").write_text(content)
    configuration.remove_left_over()
    with pytest.raises(FileExistsError):
        configuration.write(tmp_path)
    assert [path.name for path in place.iterdir()] == ["slurm.conf"]
    assert (place / "slurm.conf").read_text() == content


def test_the_configuration_of_a_killed_process_is_removed(place):
    place.mkdir()
    (place / "slurm.conf").write_text(f"{configuration.MARK}{2**22 + 1}\n")  # larger than any process id on Linux
    configuration.remove_left_over()
    assert list(place.iterdir()) == []
