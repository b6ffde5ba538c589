"""Files that are not models: refused, with what they are, before they are read in full."""

import json
import os
import pickle

import pytest
import torch
from safetensors.torch import save

from tests.support.builders import write_random_case
from tests.support.model_files import TINY, read_error, weights_of, write_model_file
from tumorseg.networks.factory import build


def test_a_normalised_case_is_refused(tmp_path):
    assert "a normalised case of this workflow" in read_error(write_random_case(tmp_path / "a.safetensors"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"/annex/objects/SHA256E-s9--ab.safetensors\n", "git annex get"),
        (b"<!DOCTYPE html><html>login</html>", "download it again"),
        (pickle.dumps({"weights": [1]}), "it was not opened); give the exported model"),
        (b"PK\x03\x04" + bytes(40), "it was not opened); give the exported model"),
        (b"\xff" * 200, "not a safetensors file"),
        ((2**63).to_bytes(8, "little") + b"{" + bytes(99), "its header claims a length of 9223372036854775808 bytes"),
        ((2).to_bytes(8, "little") + b"{}", "a safetensors file of another program"),
        ((4).to_bytes(8, "little") + b"{xx}", "its header is not JSON"),
        (save({"conv.weight": torch.zeros(8)}), "a safetensors file of another program"),
    ],
)
def test_another_kind_of_file_is_refused_and_named(tmp_path, content, words):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    assert words in read_error(path)


def test_a_training_checkpoint_is_refused_and_the_model_to_use_is_named(tmp_path):
    path = tmp_path / "results/training/fold-3/epoch-0001.pt"
    path.parent.mkdir(parents=True)
    torch.save({"weights": weights_of(build(TINY))}, path)
    message = read_error(path)
    assert "a training checkpoint" in message
    assert message.endswith("give the exported model, such as results/model/fold-3.safetensors")


def test_a_fifo_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "a.safetensors")
    assert "this is a FIFO (named pipe), not a regular file" in read_error(tmp_path / "a.safetensors")


@pytest.mark.parametrize("path", ["/dev/zero", "/"])
def test_devices_and_folders_are_refused(path):
    assert "not a regular file" in read_error(path)


def test_a_huge_sparse_file_is_refused_by_its_size(tmp_path):
    path = write_model_file(tmp_path / "a.safetensors")
    with path.open("ab") as file:
        file.truncate(100 * 2**30)
    assert "longer than its header says" in read_error(path)


def test_an_oversized_model_is_refused(tmp_path):
    size = 100 * 2**30
    head = json.dumps({"a": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}).encode()
    with (tmp_path / "a.safetensors").open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        file.truncate(8 + len(head) + size)
    assert f"at most {4 * 2**30} are allowed" in read_error(tmp_path / "a.safetensors")


def test_a_broken_link_is_refused_with_how_to_fetch_its_target(tmp_path):
    (tmp_path / "a.safetensors").symlink_to(".git/annex/objects/xx")
    assert "git annex get" in read_error(tmp_path / "a.safetensors")
