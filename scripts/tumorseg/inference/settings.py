"""How predictions are made, as the section `prediction` of the configuration says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self


@dataclass(frozen=True)
class PredictionSettings:
    """mode: the whole brain at once, windows, or what memory allows. window: voxels. overlap: share of a window.

    flips: the mean over all eight mirror images. probabilities: written beside the masks.
    """

    mode: Literal["auto", "whole", "window"]
    window: tuple[int, int, int]
    overlap: float
    flips: bool
    probabilities: bool

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> Self:
        """The settings in the section `prediction` of the configuration."""
        own = {key: section[key] for key in ("mode", "overlap", "flips", "probabilities")}
        return cls(window=tuple(section["window"]), **own)
