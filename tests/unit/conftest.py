import pytest
import torch

from tests.support.builders import write_random_case


@pytest.fixture
def cases(tmp_path):
    """Three normalised cases for training."""
    return [write_random_case(tmp_path / f"case-{number}.safetensors", seed=number) for number in range(3)]


@pytest.fixture
def one_thread():
    """Use one thread, since the last bits of a result depend on the number of threads."""
    torch.set_num_threads(1)
