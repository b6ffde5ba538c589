"""The step that finds the brain of a patient in the reference image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.validation_result import Issue
from tumorseg.io.nifti import write_nifti
from tumorseg.io.volume import Volume
from tumorseg.preparation.brain_extraction import extract_brain
from tumorseg.preparation.brain_quality import brain_problem, brain_warnings, measure_brain
from tumorseg.preparation.extracted_brain import extracted_background, foreground_mask
from tumorseg.preparation.prepared_files import pass_on_failure, read_prepared
from tumorseg.preparation.step_record import RECORD_FILE, StepRecord, read_step_record, write_step_record
from tumorseg.task import Task

MASK_FILE: Final = "mask.nii.gz"
"""Name of the mask in the folder of the step."""
STEP: Final = "extract_brain"


def write_brain_mask(
    images: Path, coregistered: Sequence[Path], output: Path, *, task: Task, threads: int
) -> StepRecord:
    """Find the brain in the reference image of a patient, and write its mask and the record of the step.

    The reference is the contrast-enhanced T1 where the patient has it. On T1-weighted images deepbet, which was trained
    on them, is closest to the mask of another tool (HD-BET) on the T1CE of a patient with glioma: Dice 0.970 from T1CE,
    0.971 from T1, 0.963 from FLAIR and 0.948 from T2, each registered to T1CE. So no other image is used.

    Args:
        images: folder of the patient's images on their own grids, with the record of their conversion.
        coregistered: record of the registration of each channel.
        output: folder to write: the mask on the grid of the reference image, unless the step fails, and the record.
        task: task of the patient.
        threads: number of CPU threads.

    Returns:
        The record. It has the problems of the first step that failed, if any.

    Raises:
        CorruptedFileError: the image is missing or corrupted.
    """
    records = [read_step_record(images / RECORD_FILE), *map(read_step_record, coregistered)]
    record = pass_on_failure(records, STEP)
    if record is None:
        reference = next(record.facts["reference"] for record in records if "reference" in record.facts)
        title, file = task.channel_titles[reference], f"{reference}.nii.gz"
        record = _find_brain(records[0].case, images / file, title, output / MASK_FILE, threads)
    write_step_record(output / RECORD_FILE, record)
    return record


def _find_brain(case: str, path: Path, title: str, mask_path: Path, threads: int) -> StepRecord:
    """Write the mask of the brain in an image, unless it cannot be one, and return the record."""
    volume = read_prepared(path)
    mask, warnings, facts = _brain_mask(volume, title, path.name, threads)
    if mask is None:
        message = f"no brain was found in {title}; check that the image shows the head of a patient"
        return StepRecord(case, STEP, (Issue("no_brain", path.name, message),), facts=facts)
    shape = measure_brain(mask, volume.affine)
    facts |= shape.facts()
    if problem := brain_problem(shape, title, path.name):
        return StepRecord(case, STEP, (problem,), tuple(warnings), facts)
    write_nifti(mask_path, mask.astype(np.uint8), volume.affine, volume.forms)
    return StepRecord(case, STEP, (), (*warnings, *brain_warnings(shape, title, path.name)), facts)


def _brain_mask(
    volume: Volume, title: str, file: str, threads: int
) -> tuple[NDArray[np.bool_] | None, list[Issue], dict[str, Any]]:
    """Return the mask of the brain (None if there is none), the warnings, and how the brain was found."""
    background = extracted_background(volume)
    if background is None:
        return extract_brain(volume, threads), [], {"image": file, "method": "deepbet"}
    # Extracting a brain twice cuts off some of its surface, and with it tumour.
    message = (
        f"{title} shows the brain alone, so its outline is used as it is; if it cuts off tumour, use the image with "
        "the skull"
    )
    mask = foreground_mask(volume.array, background)
    return mask, [Issue("brain_extracted_before", file, message)], {"image": file, "method": "outline of the image"}
