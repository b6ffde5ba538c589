"""The step to_atlas: register a patient to the atlas, and write all images on its grid."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np

from tumorseg.geometry import same_grid
from tumorseg.io.files import CorruptedFileError, describe_locations, make_folder
from tumorseg.io.nifti import write_nifti
from tumorseg.io.volume import Volume
from tumorseg.preparation.atlas import Atlas
from tumorseg.preparation.atlas_images import atlas_brain, atlas_image, brain_outside_atlas
from tumorseg.preparation.prepared_files import (
    PatientFiles,
    atlas_path,
    image_of,
    matrix_to_json,
    pass_on_failure,
    read_prepared,
)
from tumorseg.preparation.reference import reference_channel
from tumorseg.preparation.registration import register_rigid
from tumorseg.preparation.registration_checks import judge_atlas_registration, judge_coverage
from tumorseg.preparation.registration_quality import measure_registration
from tumorseg.preparation.sampling import Image, inside
from tumorseg.preparation.step_record import RECORD_FILE, StepRecord, read_step_record, write_step_record
from tumorseg.task import Task

STEP: Final = "to_atlas"
BRAIN_FILE: Final = "mask.nii.gz"
"""Name of the brain mask in the folder of the rule extract_brain."""


def write_atlas_images(
    patient: PatientFiles, brain: Path, output: Path, *, atlas: Atlas, task: Task, threads: int
) -> StepRecord:
    """Write the images of a patient on the grid of the atlas, and the record of this step.

    The facts of the record are `atlas`, `reference`, `matrix` (from the atlas to the reference image, in millimetres,
    RAS), `start`, the measurements of `RegistrationQuality`, `brain_ml`, `outside_atlas` (fraction of the brain),
    `brain_shown` (fraction of the atlas's brain that the reference image shows), and for each channel `shown` (fraction
    of the brain) and `raised` (see `atlas_images.atlas_image`).

    Args:
        patient: the patient's images and their registrations.
        brain: folder of the rule extract_brain.
        output: folder to write.
        atlas: the atlas.
        task: task of the patient.
        threads: number of channels that are resampled at the same time.

    Returns:
        The record.

    Raises:
        CorruptedFileError: a file of an earlier step is missing or corrupted.
    """
    make_folder(output)
    record = pass_on_failure([*patient.coregistered, read_step_record(brain / RECORD_FILE)], STEP)
    if record is None:
        record = _write_images(patient, brain, output, atlas=atlas, task=task, threads=threads)
    write_step_record(output / RECORD_FILE, record)
    return record


def _write_images(
    patient: PatientFiles, brain: Path, output: Path, *, atlas: Atlas, task: Task, threads: int
) -> StepRecord:
    case, matrices = patient.case, patient.matrices
    name = reference_channel(task, matrices)
    reference = patient.volume(name)
    mask = _read_brain(brain / BRAIN_FILE, reference)
    extracted = Image(np.where(mask.array > 0, reference.array, reference.array.dtype.type(0)), reference.affine)
    found = register_rigid(atlas.image, extracted, fixed_mask=atlas.brain)
    quality = measure_registration(atlas.image, extracted, found.matrix, fixed_mask=atlas.brain)
    outside = brain_outside_atlas(mask, atlas.image, found.matrix)
    brain_shown = float(inside(extracted, atlas.image, found.matrix)[atlas.brain].mean())
    problems, warnings = judge_atlas_registration(quality, outside, brain_shown, task.channel_titles[name], case)
    facts: dict[str, Any] = {
        "atlas": atlas.name,
        "reference": name,
        "matrix": matrix_to_json(found.matrix),
        "start": found.start,
        **quality.facts(),
        "brain_ml": round(float((mask.array > 0).sum() * np.prod(mask.spacing_mm) / 1000), 1),
        "outside_atlas": round(outside, 4),
        "brain_shown": round(brain_shown, 4),
    }
    if problems:
        return StepRecord(case, STEP, problems, warnings, facts)
    region = atlas_brain(mask, atlas.image, found.matrix)

    def write(channel: str) -> dict[str, float]:
        image = image_of(patient.volume(channel))
        voxels, raised, shown = atlas_image(image, region, atlas.image, matrices[channel] @ found.matrix)
        write_nifti(atlas_path(output, case, channel), voxels, atlas.image.affine)
        return {"shown": round(shown, 4), "raised": round(raised, 4)}

    channels = task.channels_among(matrices)
    with ThreadPoolExecutor(threads) as pool:
        facts["channels"] = dict(zip(channels, pool.map(write, channels), strict=True))
    partial = [
        issue
        for channel in channels
        for issue in judge_coverage(facts["channels"][channel]["shown"], task.channel_titles[channel], case)
    ]
    return StepRecord(case, STEP, warnings=(*warnings, *partial), facts=facts)


def _read_brain(path: Path, reference: Volume) -> Image:
    """Return the brain mask, which has to be on the grid of the reference image."""
    mask = read_prepared(path)
    if not same_grid(mask, reference):
        raise CorruptedFileError(
            f"{path}: this brain mask is not on the grid of the reference image; delete "
            f"{describe_locations(path.parent)} and run again"
        )
    return image_of(mask)
