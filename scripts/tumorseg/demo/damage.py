"""Damage as it is found in real cohorts, done to sound content on its way to disk."""

from typing import Any, Final

from numpy.typing import NDArray

from tumorseg.demo.layout import DemoCase

_KEPT: Final = 0.7
"""Part of a truncated file that is left."""


def damaged_volume(case: DemoCase, role: str, volume: NDArray[Any]) -> NDArray[Any]:
    """The volume of one file, the top slice missing where the case's damage is a mask of another shape."""
    return volume[:, :, :-1] if _struck(case, role, "mask_shape") else volume


def damaged_bytes(case: DemoCase, role: str, content: bytes) -> bytes:
    """The bytes of one file, the end missing where the case's damage is a truncated file."""
    return content[: int(len(content) * _KEPT)] if _struck(case, role, "truncated") else content


def _struck(case: DemoCase, role: str, damage: str) -> bool:
    return case.damage == damage and case.damaged_role == role
