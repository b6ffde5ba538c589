import torch

from tumorseg.networks.memory import GIB, too_little_memory


def test_the_message_for_a_gpu_has_its_free_memory(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (1 * GIB, 24 * GIB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 20 * GIB)
    assert too_little_memory(torch.device("cuda"), "a step", "lower a setting") == (
        "a step: the memory of the device is too small (24.0 GiB: 20.0 used by this process, 1.0 free); "
        "lower a setting, or end other programs on this device"
    )


def test_the_message_for_a_cpu_has_no_amounts():
    assert "too small; lower" in too_little_memory(torch.device("cpu"), "a step", "lower a setting")
