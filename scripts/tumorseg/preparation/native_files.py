"""Paths of the files on the grids of the patient's own images."""

from pathlib import Path


def native_mask_path(folder: Path, case: str, channel: str) -> Path:
    """Return the path of a mask on the grid of a channel."""
    return folder / f"{case}-{channel}-mask.nii.gz"


def native_probabilities_path(folder: Path, case: str, channel: str) -> Path:
    """Return the path of the probabilities on the grid of a channel."""
    return folder / f"{case}-{channel}-probabilities.nii.gz"


def dicom_mask_path(folder: Path, case: str, channel: str) -> Path:
    """Return the path of a DICOM segmentation on the grid of a channel."""
    return folder / f"{case}-{channel}-mask.dcm"
