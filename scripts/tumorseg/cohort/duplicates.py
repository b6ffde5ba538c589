"""Two modalities of a case with the very same voxels: one of them is not what it says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128

from tumorseg.cohort.damage import Damage
from tumorseg.cohort.pieces import pieces
from tumorseg.cohort.verdict import Finding
from tumorseg.cohort.volume import read_volume
from tumorseg.task import Task


def duplicate_findings(
    root: Path,
    files: Mapping[str, Mapping[str, Any]],
    samples: Mapping[str, NDArray[Any]],
    task: Task,
) -> dict[str, Finding]:
    """`duplicate_modality` for each modality whose voxels are those of an earlier one, by modality.

    Values that are equal as float32 are equal, whatever type and scaling they are stored with. Files are read again,
    one at a time, only where their samples are equal, which hardly ever happens by chance.

    files: the facts of each file, see `Verdict`, below `root`. samples: the same sample of each channel; all have one
    shape. task: which volume of its file each channel is, and how it is called.
    """
    titles, places = task.channel_titles, {channel.name: channel.volume for channel in task.channels}
    alike: dict[bytes, list[str]] = {}
    for role, sample in samples.items():
        alike.setdefault(_canonical(sample).tobytes(), []).append(role)
    found = {}
    for roles in alike.values():
        first_with: dict[str, str] = {}
        for role in roles if len(roles) > 1 else []:
            first = first_with.setdefault(_voxel_digest(root, files[role], places[role]), role)
            if first != role:
                message = (
                    f"{titles[role]} has exactly the voxels of {titles[first]} in "
                    f"{files[first]['path']}; one of the two files is not what it says: replace it"
                )
                found[role] = Finding("duplicate_modality", files[role]["path"], message)
    return found


def _voxel_digest(root: Path, facts: Mapping[str, Any], place: int | None) -> str:
    """XXH3-128 of the voxels of a file as float32, or that of its bytes where it is no longer the one that was read."""
    try:
        volume = read_volume(root / facts["path"], facts["voxels"])
    except Damage:
        return str(facts["digest"])
    if volume.digest != facts["digest"]:
        return str(facts["digest"])
    values, digest = volume.channel(place).array.reshape(-1, order="F"), xxh3_128()
    for part in pieces(values.size):
        digest.update(_canonical(values[part]).data)
    return digest.hexdigest()


def _canonical(values: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return values.astype(np.float32) + np.float32(0)  # -0.0 becomes 0.0
