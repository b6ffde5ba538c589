"""The tests do not change the configuration of another Slurm cluster."""

import os

import pytest

from tests.slurm import configuration

UNUSED_PROCESS_ID = 2**22 + 1
"""Larger than any process id on Linux."""


@pytest.fixture
def config_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(configuration, "CONFIG_FOLDER", tmp_path / "etc")
    return tmp_path / "etc"


def test_a_written_configuration_can_be_removed(config_folder, tmp_path):
    configuration.write(tmp_path)
    assert sorted(path.name for path in config_folder.iterdir()) == ["gres.conf", "slurm.conf"]
    configuration.remove_stale()  # its process, this one, is alive
    assert len(list(config_folder.iterdir())) == 2
    configuration.remove()
    assert list(config_folder.iterdir()) == []


RUNNING_MANAGER = f"{configuration.FIRST_LINE}{os.getpid()}\n"


@pytest.mark.parametrize("content", ["ClusterName=real\n", "", RUNNING_MANAGER], ids=["real", "empty", "running"])
def test_the_configuration_of_another_cluster_is_kept(config_folder, tmp_path, content):
    config_folder.mkdir()
    (config_folder / "slurm.conf").write_text(content)
    configuration.remove_stale()
    with pytest.raises(FileExistsError):
        configuration.write(tmp_path)
    assert [path.name for path in config_folder.iterdir()] == ["slurm.conf"]
    assert (config_folder / "slurm.conf").read_text() == content


def test_the_configuration_of_a_killed_process_is_removed(config_folder):
    config_folder.mkdir()
    (config_folder / "slurm.conf").write_text(f"{configuration.FIRST_LINE}{UNUSED_PROCESS_ID}\n")
    configuration.remove_stale()
    assert list(config_folder.iterdir()) == []
