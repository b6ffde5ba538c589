"""Small patients as a hospital has them: the MNI152 template in four contrasts, as DICOM series or NIfTI files."""

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np

from tests.support.builders import architecture, model_card, random_network
from tests.support.degraded import add_head
from tests.support.dicom import FLAIR, T1, T1CE, T2, write_series
from tests.support.heads import moved, other_contrast, rigid, small_atlas
from tumorseg.io.nifti import write_nifti
from tumorseg.networks.model import write_model
from tumorseg.preparation.sampling import Image

HEADERS = {"t1": T1, "t1ce": T1CE, "t2": T2, "flair": FLAIR}
GRIDS_MM = {"t1": (3.0, 3.0, 3.0), "t1ce": (2.5, 2.5, 4.0), "t2": (2.0, 2.0, 6.0), "flair": (2.0, 3.0, 5.0)}
"""Voxel edges of the images of a patient: each channel has its own grid."""
HOSPITAL_NAMES = {"t1": "AX_T1_pre", "t1ce": "T1_post_gd", "t2": "T2_TSE_ax", "flair": "T2-FLAIR"}


def write_atlas(path: Path) -> None:
    """Write the template with voxels of 3 mm, as a user gives an atlas."""
    atlas = small_atlas()
    write_nifti(path, np.where(atlas.brain, atlas.image.array, 0).astype(np.float32), atlas.image.affine)


def write_random_model(path: Path) -> None:
    """Write a tiny network that finds labels anywhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_model(path, random_network(base_channels=2), model_card(architecture(2)))


def brain_image(channel: str) -> Image:
    """Return the template's brain in a contrast; background is 0, and no two channels have equal voxels."""
    template = small_atlas().image
    brain = other_contrast(template) if channel == "t2" else template
    brightness = {"t1": 3.0, "t1ce": 4.0, "t2": 3.0, "flair": 2.0}[channel]
    noise = np.random.default_rng(len(channel)).normal(0, 8, brain.array.shape)
    voxels = np.where(small_atlas().brain, (brain.array * brightness + noise).clip(1), 0)
    return Image(voxels.astype(np.float32), brain.affine)


def write_hospital_patient(folder: Path, names: dict[str, str] = HOSPITAL_NAMES, seed: int = 0) -> None:
    """Write the brain alone as NIfTI files under names of a hospital; each image lies elsewhere, on a grid of its own.

    Args:
        folder: of the patient.
        names: name of the file of each channel, without `.nii.gz`.
        seed: of the position of the patient.
    """
    for number, (channel, name) in enumerate(names.items()):
        place = rigid(8 + number, (5 + seed, -3 * number, 6))
        image = moved(brain_image(channel), place, GRIDS_MM[channel])
        write_nifti(folder / f"{name}.nii.gz", image.array.round().astype(np.int16), image.affine)


def write_dicom_patient(folder: Path, patient_id: str = "SECRET-ID") -> None:
    """Write a head as four DICOM series of one study, of which the header has the name and ID of a person."""
    for channel, header in HEADERS.items():
        brain = brain_image(channel)
        head = add_head(nibabel.Nifti1Image(brain.array, brain.affine), channel)
        image = moved(Image(np.asarray(head.dataobj), head.affine), rigid(10, (3, 6, -4)), GRIDS_MM[channel])
        identity = {"PatientName": "Secret^Name"}
        own = replace(header, patient_id=patient_id, other=identity)
        write_series(folder / f"{header.number}", image.array.round().astype(np.int16), image.affine, own)
