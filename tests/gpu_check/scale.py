"""How large the checks are: in full on a GPU, or reduced, for a CPU and for the tests of the checks themselves."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import torch


@dataclass(frozen=True)
class Scale:
    """The sizes of everything that the checks compute.

    reduced: all sizes are tiny; no claim is about speed, memory or the Dice of the demo.
    volume: voxels of a training patch along X, Y and Z.
    brain: voxels of a case, cropped to its brain.
    window: voxels of a sliding window.
    small: voxels of a patch where speed does not matter.
    base_channels: of the networks that are measured.
    steps: measured steps, batches or cases of each kind, after one to warm up.
    threads: CPU threads.
    timeout_s: a check that takes longer is ended and did not hold.
    """

    device: Literal["cpu", "cuda"]
    reduced: bool
    volume: tuple[int, int, int]
    brain: tuple[int, int, int]
    window: tuple[int, int, int]
    small: tuple[int, int, int]
    base_channels: tuple[int, ...]
    steps: int
    threads: int
    timeout_s: float

    def to_json(self) -> dict[str, Any]:
        """Return the scale as plain JSON types."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Return the scale from plain JSON types."""
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in content.items()})


def full_scale() -> Scale:
    """Return the scale of the check on a GPU: whole volumes, networks of the width that users train."""
    return Scale(
        device="cuda",
        reduced=False,
        volume=(240, 240, 160),
        brain=(150, 180, 150),
        window=(128, 128, 128),
        small=(64, 64, 64),
        base_channels=(16, 32),
        steps=10,
        threads=8,
        timeout_s=1800,
    )


def reduced_scale(device: Literal["cpu", "cuda"] | None = None) -> Scale:
    """Return a scale that takes little time even on a CPU. device: by default a GPU, if there is one."""
    return Scale(
        device=device or ("cuda" if torch.cuda.is_available() else "cpu"),
        reduced=True,
        volume=(24, 24, 24),
        brain=(20, 24, 20),
        window=(16, 16, 16),
        small=(24, 24, 24),
        base_channels=(2, 4),
        steps=2,
        threads=1,
        timeout_s=1200,
    )
