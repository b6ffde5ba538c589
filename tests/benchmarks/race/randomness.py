"""Own random numbers for a method that draws from the global generators of PyTorch and NumPy."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


class OwnRandomness:
    """The state of the global generators for one method, so that the turns of other methods do not change it.

    This workflow's own training does not use the global generators while it trains.
    """

    def __init__(self, seed: int) -> None:
        before = _state()
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - the packages of the others draw from the global generator
        self._own = _state()
        _set_state(before)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Use this state, and restore that of the others afterwards."""
        before = _state()
        _set_state(self._own)
        try:
            yield
        finally:
            self._own = _state()
            _set_state(before)


def _state() -> tuple[torch.Tensor, dict[str, Any]]:
    return torch.get_rng_state(), np.random.get_state(legacy=False)  # noqa: NPY002


def _set_state(state: tuple[torch.Tensor, dict[str, Any]]) -> None:
    torch.set_rng_state(state[0])
    np.random.set_state(state[1])  # noqa: NPY002
