"""From a scanner's images to a mask in the patient's space: Dice against that of the same cases as they were prepared.

The images of prepared cases are degraded on purpose (see `KINDS`), and `segment` prepares and segments them with the
starter model. The expert mask, moved alike, is the truth. `--dice-only FOLDER` prints the numbers of a finished run.
"""

import argparse
import subprocess
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
from nibabel.processing import resample_from_to

from tests.support.builders import REPOSITORY
from tests.support.case_files import real_data
from tests.support.degraded import add_head, rotate, thick_slices
from tumorseg.io.nifti import write_nifti

CHANNELS = ("t1", "t1ce", "t2", "flair")
MOST_LOST = 0.05
"""The Dice may be lower by this much than that of the undegraded case."""


@dataclass(frozen=True)
class Kind:
    """How the images are degraded; all get a head, and the patient is rotated and shifted.

    Attributes:
        thick: whether the slices are axial ones of 5 mm, each channel on a grid of its own.
        omitted: channels that the patient lacks. The undegraded case then lacks them, too.
    """

    thick: bool
    omitted: tuple[str, ...] = ()


KINDS = {"head": Kind(thick=False), "thick": Kind(thick=True), "no-t2": Kind(thick=True, omitted=("t2",))}
SPACINGS_MM = {"t1": (1.0, 1.0, 5.0), "t1ce": (0.9, 0.9, 5.0), "t2": (0.8, 0.8, 5.0), "flair": (0.9, 0.9, 5.0)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Degrade cases, segment them and print the Dice of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="new folder for the run")
    parser.add_argument("--cases", nargs="+", help="names of cases; all without it")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--cores", default="2")
    parser.add_argument("--dice-only", action="store_true")
    options = parser.parse_args(arguments)
    cases = options.cases or sorted(path.name for path in real_data().iterdir() if path.is_dir())
    if not options.dice_only:
        for case in cases:
            for kind in options.kinds:
                write_patient(case, kind, options.folder)
        _segment(options.folder, options.cores)
    table = dice_table(options.folder)
    print(table.round(3).to_string(index=False))
    print(f"lost at most {MOST_LOST}: {(table['lost'] <= MOST_LOST).sum()} of {len(table)}")


def write_patient(case: str, kind: str, folder: Path) -> None:
    """Write the degraded patient `{case}-{kind}`, its truth, and the undegraded patient with the same images.

    Args:
        case: name of the real case; determines the motion of the patient.
        kind: see `KINDS`.
        folder: where to write `patients` and `truth`.
    """
    degradation = KINDS[kind]
    seed = zlib.crc32(case.encode())
    rng = np.random.default_rng(seed)
    degrees, shift_mm = tuple(rng.uniform(-20, 20, 3)), tuple(rng.uniform(-30, 30, 3))
    images = {name: nibabel.load(real_data() / case / f"{case}_{name}.nii.gz") for name in (*CHANNELS, "seg")}
    inside = np.argwhere(np.any([np.asarray(image.dataobj) != 0 for image in images.values()], axis=0))
    box = tuple(slice(low, high + 1) for low, high in zip(inside.min(axis=0), inside.max(axis=0), strict=True))
    kept = [channel for channel in CHANNELS if channel not in degradation.omitted]
    plain = case if len(kept) == len(CHANNELS) else f"{case}-without-{'-'.join(degradation.omitted)}"
    for channel in kept:
        copy = folder / f"patients/{plain}/{plain}_{channel}.nii.gz"
        if not copy.exists():
            write_nifti(copy, np.asarray(images[channel].dataobj), images[channel].affine)
        head = add_head(images[channel].slicer[box], channel, seed=seed)
        image, _ = rotate(head, degrees, shift_mm)
        if degradation.thick:
            image = thick_slices(image, SPACINGS_MM[channel])
        _write(folder / f"patients/{case}-{kind}/{channel}.nii.gz", image, np.int16)
        if channel == "t1ce":
            moved = resample_from_to(images["seg"], (head.shape, head.affine), order=0)
            truth, _ = rotate(moved, degrees, shift_mm)
            if degradation.thick:
                truth = thick_slices(truth, SPACINGS_MM[channel], labels=True)
            _write(folder / f"truth/{case}-{kind}.nii.gz", truth, np.uint8)
    if not (folder / f"truth/{plain}.nii.gz").exists():
        _write(folder / f"truth/{plain}.nii.gz", images["seg"], np.uint8)


def _write(path: Path, image, dtype) -> None:
    voxels = np.rint(np.asarray(image.dataobj)).clip(0, np.iinfo(dtype).max)
    write_nifti(path, voxels.astype(dtype), image.affine)


def _segment(folder: Path, cores: str) -> None:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), "--cores", cores]
    command += ["segment", "--directory", str(folder), "--config", "patients=patients"]
    subprocess.run([*command, "segment={models: starter}", f"training={{threads: {cores}}}"], check=True)


def dice_table(folder: Path) -> pd.DataFrame:
    """Return the whole-tumour Dice of each degraded patient, and of the same case as it was prepared."""
    rows = []
    for truth in sorted((folder / "truth").glob("*-*.nii.gz")):
        case, _, kind = truth.name.removesuffix(".nii.gz").partition("-")
        if kind not in KINDS:
            continue
        omitted = KINDS[kind].omitted
        plain = case if not omitted else f"{case}-without-{'-'.join(omitted)}"
        undegraded, degraded = whole_tumour_dice(folder, plain), whole_tumour_dice(folder, f"{case}-{kind}")
        rows.append((case, kind, undegraded, degraded, undegraded - degraded))
    return pd.DataFrame(rows, columns=["case", "kind", "undegraded", "degraded", "lost"])


def whole_tumour_dice(folder: Path, patient: str) -> float:
    """Return the Dice of a patient's mask and the truth, on the grid of the T1CE; 0 if there is no mask."""
    path = folder / f"results/segmentations/{patient}.nii.gz"
    if not path.exists():
        return 0.0
    mask, truth = nibabel.load(path), nibabel.load(folder / f"truth/{patient}.nii.gz")
    if mask.shape != truth.shape or not np.allclose(mask.affine, truth.affine, atol=1e-3):
        raise ValueError(f"{path}: the mask is not on the grid of the patient's T1CE")
    found, true = (np.asarray(image.dataobj) > 0 for image in (mask, truth))
    return 2 * np.count_nonzero(found & true) / (np.count_nonzero(found) + np.count_nonzero(true))


if __name__ == "__main__":
    main()
