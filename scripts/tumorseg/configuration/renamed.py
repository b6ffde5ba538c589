"""Renamed keys of the configuration."""

from typing import Final

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
