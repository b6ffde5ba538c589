"""Files that were validated, read again: still the ones that the verdict is about, or a clear stop."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tumorseg.cohort.damage import Damage
from tumorseg.cohort.volume import Volume, read_volume
from tumorseg.errors import UserError


def read_again(root: Path, facts: Mapping[str, Any]) -> Volume:
    """The volume of a file, from its facts in a verdict (`path` below `root`, `digest`, `voxels`).

    Raises UserError where the file is no longer the one that was validated.
    """
    path = root / facts["path"]
    try:
        volume = read_volume(path, facts["voxels"])
    except Damage as damage:
        raise UserError(f"{path}: sound when it was validated, now {damage.code}: {damage.message}") from None
    if volume.digest != facts["digest"]:
        raise UserError(f"{path}: the file has changed since it was validated; run the workflow again")
    return volume
