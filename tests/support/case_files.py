"""Write, change and validate tiny cases on disk."""

import os
import zlib
from pathlib import Path

import nibabel
import numpy as np
import pytest

from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_cases
from tumorseg.io.nifti import write_nifti
from tumorseg.task import load_task

TASK = load_task()
SHAPE = (10, 11, 12)
AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])
CASE = "BraTS-GLI-00001-000"
SUFFIXES = {"t1": "t1n", "t1ce": "t1c", "t2": "t2w", "flair": "t2f", "seg": "seg"}


def image(role: str = "t1", seed: int = 0, shape=SHAPE):
    """Return an int16 image of noise with a border of background; it depends on role and seed."""
    rng = np.random.default_rng([seed, zlib.crc32(role.encode())])
    volume = np.zeros(shape, np.int16)
    volume[2:-2, 2:-2, 2:-2] = rng.integers(100, 1000, volume[2:-2, 2:-2, 2:-2].shape)
    return volume


def mask(enhancing: int = 3, shape=SHAPE):
    """Return a uint8 mask with 8 voxels of label 1, 8 of label 2 and 4 of enhancing tumour, inside the head."""
    volume = np.zeros(shape, np.uint8)
    volume[3:5, 3:5, 3:5] = 1
    volume[5:7, 3:5, 3:5] = 2
    volume[5:7, 5:7, 3:4] = enhancing
    return volume


def write_empty_files(root: Path, *paths: str) -> Path:
    """Create empty files at these paths below `root`, and return `root`."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def path_of(root: Path, role: str, case: str = CASE) -> Path:
    return root / case / f"{case}-{SUFFIXES[role]}.nii.gz"


def write_valid_case(root: Path, case: str = CASE, *, seed: int = 0, enhancing: int = 3) -> Path:
    """Write a valid case with the file names of 2023 below `root`, and return `root`."""
    for role in SUFFIXES:
        volume = mask(enhancing) if role == "seg" else image(role, seed)
        write_nifti(path_of(root, role, case), volume, AFFINE)
    return root


def write_volume(root: Path, role: str, volume, affine=AFFINE) -> None:
    """Replace a volume of the case `CASE`."""
    write_nifti(path_of(root, role), volume, affine)


def nifti_content(volume, affine=AFFINE) -> bytes:
    """Return the bytes of an uncompressed NIfTI file."""
    return nibabel.Nifti1Image(volume, affine).to_bytes()


def check_case(root: Path, case_files, *, shape, labels):
    """Return the validation result of a case."""
    return validate_case(root, case_files, task=TASK, shape=shape, labels=labels)[0]


def validated(root: Path, *, shape=None, labels: str = "auto"):
    """Return the validation result of the only case below `root`."""
    (case,) = discover_cases(root, TASK)
    return check_case(root, case, shape=shape, labels=labels)


def problems(*arguments, **options):
    """Return code and file of each problem of the only case."""
    return [(issue.code, issue.file) for issue in validated(*arguments, **options).problems]


def warnings(*arguments, **options):
    """Return the code of each warning of the only case."""
    return [issue.code for issue in validated(*arguments, **options).warnings]


def real_data() -> Path:
    """Return the folder of real cases; skip the test if it is missing."""
    return _real_folder("TUMORSEG_REAL_DATA", "brats2021")


def learning_data() -> Path:
    """Return the folder of the real cases at 2 mm to learn from; skip the test if it is missing."""
    return _real_folder("TUMORSEG_LEARNING_DATA", "real2mm")


def require_learning_data() -> Path:
    """Return the folder of `learning_data`; end the program with a message if it is missing."""
    try:
        return learning_data()
    except pytest.skip.Exception as reason:
        raise SystemExit(str(reason)) from None


def raw_patient() -> Path:
    """Return the folder of a real patient's images as the scanner gave them; skip the test if it is missing.

    These are `t1.nii.gz`, `t1c.nii.gz`, `t2.nii.gz` and `fla.nii.gz`, and the mask of the brain by another tool.
    """
    return _real_folder("TUMORSEG_RAW_PATIENT", "raw/TCGA-FG-6692")


def challenge_cases_2026() -> Path:
    """Return the folder of the example cases of the challenge's evaluation package; skip the test if it is missing.

    A case is a reference and a prediction, `NAME-seg.nii.gz` and `NAME-pred.nii.gz`; `expected.csv` has the values of
    the package for them.
    """
    return _real_folder("TUMORSEG_CHALLENGE_2026", "official2026")


def _real_folder(variable: str, default: str) -> Path:
    root = Path(os.environ.get(variable, Path(__file__).parents[3] / "shared/data" / default))
    if not root.is_dir():
        pytest.skip(f"the real cases are not here (set {variable} to their folder)")
    return root
