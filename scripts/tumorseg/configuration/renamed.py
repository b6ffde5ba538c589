"""Renamed keys of the configuration. Users write the new names; recorded results keep the old ones."""

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
"""New name by old key, which includes the section."""


def recorded(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with the old keys, which jobs read and results record.

    Models, checkpoints and Snakemake's records of finished jobs have these keys. With the new ones, old models could
    not be read, and finished trainings would run again.

    Args:
        configuration: some or all sections, with the new keys.
    """
    return {section: _recorded_section(section, content) for section, content in configuration.items()}


def _recorded_section(section: str, content: Any) -> Any:
    """Return a section with its old keys; None and other values unchanged."""
    if not isinstance(content, Mapping):
        return content
    old = {new: key.partition(".")[2] for key, new in RENAMED.items() if key.partition(".")[0] == section}
    return {old.get(key, key): value for key, value in content.items()}
