"""Renamed keys of the configuration. Users write the new name; results keep the old one, under which they were made."""

from collections.abc import Mapping
from typing import Any, Final

RENAMED: Final = {
    "cohort.batches": "shards",
    "cohort.largest_voxels": "max_voxels",
    "normalisation.margin": "margin_voxels",
    "training.weight_averaging": "ema_decay",
    "checkpoint.choose": "select",
    "prediction.flips": "test_time_mirroring",
    "prediction.smallest_enhancing": "min_enhancing_mm3",
    "evaluation.surface_tolerance": "surface_tolerance_mm",
}
"""The old key, with its section, and the new name in the same section."""


def recorded(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with the old keys, under which jobs take settings and results record them.

    Models and checkpoints hold settings by these keys, and so does Snakemake's record of each finished job. With other
    keys, old models could not be read, and finished trainings would run again.

    Args:
        configuration: sections with their present keys. Sections that are absent stay absent.
    """
    return {section: _recorded_section(section, content) for section, content in configuration.items()}


def _recorded_section(section: str, content: Any) -> Any:
    """One section with its old keys; None and other values that are no section as they are."""
    if not isinstance(content, Mapping):
        return content
    old = {new: key.partition(".")[2] for key, new in RENAMED.items() if key.partition(".")[0] == section}
    return {old.get(key, key): value for key, value in content.items()}
