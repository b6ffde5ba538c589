"""The step to_native: write the mask of a patient on the grids of the original images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from tumorseg.cohort.validation_result import Issue
from tumorseg.errors import Message
from tumorseg.io.files import CorruptedFileError, describe_locations, make_folder
from tumorseg.io.nifti import write_nifti
from tumorseg.io.nifti_header import read_description, read_form_fields
from tumorseg.preparation.dicom_masks import SegmentationMethod, read_method, write_dicom_mask
from tumorseg.preparation.moved_masks import move_mask, moved_mask_warnings
from tumorseg.preparation.native_files import dicom_mask_path, native_mask_path, native_probabilities_path
from tumorseg.preparation.native_masks import native_probabilities
from tumorseg.preparation.prepared_files import (
    PatientFiles,
    channel_path,
    image_of,
    matrix_from,
    pass_on_failure,
    read_prepared,
)
from tumorseg.preparation.sampling import Image, inverse
from tumorseg.preparation.step_record import RECORD_FILE, StepRecord, read_step_record, write_step_record

STEP: Final = "to_native"
REFERENCE: Final = "reference"
"""The name that stands for the reference channel where sequences are chosen."""
_RESEARCH_USE: Final = "Research use only"
"""In the header of files whose models have no notice."""
_ADVICE: Final[Message] = "look at the mask; tables and pages have the volume on the atlas"


def write_native_masks(
    patient: PatientFiles, atlas: Path, masks: Path, output: Path, *, sequences: Sequence[str], root: Path
) -> StepRecord:
    """Write the mask of a patient on the grid of each chosen sequence, and the record of this step.

    Probabilities are written, too, if the segmentation has them. The header of a file places it exactly like the
    image of the sequence, and has the mark of the mask on the atlas.

    The facts of the record are `reference`, in `atlas_ml` the volume in millilitres of each value of the mask on the
    atlas, and in `masks` the same for each sequence. Large differences are warnings. A patient without mask has
    `segmented` false. If the image of a sequence came from DICOM, its mask is also written as a DICOM segmentation;
    `dicom` then has the labels of its segments.

    Args:
        patient: the patient's images and their registrations.
        atlas: folder of the rule to_atlas.
        masks: folder of the rule segment_batch, with `{case}.nii.gz` if the patient was segmented.
        output: folder to write.
        sequences: channels, or `reference`. A channel that the patient lacks is left out.
        root: folder of the patients, for the source files of DICOM segmentations.

    Returns:
        The record.

    Raises:
        CorruptedFileError: a file of an earlier step is missing or corrupted.
    """
    make_folder(output)
    to_atlas = read_step_record(atlas / RECORD_FILE)
    record = pass_on_failure([*patient.coregistered, to_atlas], STEP)
    if record is None:
        record = _write_masks(patient, to_atlas, masks, output, sequences=sequences, root=root)
    write_step_record(output / RECORD_FILE, record)
    return record


def _write_masks(
    patient: PatientFiles, to_atlas: StepRecord, masks: Path, output: Path, *, sequences: Sequence[str], root: Path
) -> StepRecord:
    case, matrices = patient.case, patient.matrices
    reference = str(to_atlas.facts["reference"])
    path = masks / f"{case}.nii.gz"
    if not path.is_file():
        return StepRecord(case, STEP, facts={"reference": reference, "segmented": False})
    conversion, method = read_step_record(patient.images / RECORD_FILE), read_method(masks)
    mask = _read_mask(path, method)
    titles = {method.written[label]: title for label, title in method.task.label_titles.items()}
    probabilities_path = masks / f"{case}-probabilities.nii.gz"
    probabilities = read_prepared(probabilities_path) if probabilities_path.is_file() else None
    mark = read_description(path) or _RESEARCH_USE
    written: dict[str, Any] = {}
    on_atlas: dict[str, float] = {}
    segments: dict[str, Any] = {}
    warnings: list[Issue] = []
    for channel in dict.fromkeys(reference if name == REFERENCE else name for name in sequences):
        if channel not in matrices:
            continue
        native = patient.volume(channel)
        forms = read_form_fields(channel_path(patient.images, channel))
        matrix = inverse(matrices[channel] @ matrix_from(to_atlas))
        moved = move_mask(mask, native, matrix)
        write_nifti(native_mask_path(output, case, channel), moved.labels, native.affine, forms, mark)
        on_atlas, written[channel] = _rounded(moved.before_ml), _rounded(moved.after_ml)
        warnings += moved_mask_warnings(moved, case, method.task.channel_titles[channel], titles, _ADVICE)
        if probabilities is not None:
            values = np.round(native_probabilities(image_of(probabilities), native, matrix), 4)
            write_nifti(native_probabilities_path(output, case, channel), values, native.affine, forms, mark)
        segments[channel], issues = write_dicom_mask(
            dicom_mask_path(output, case, channel),
            moved.labels,
            native.affine,
            conversion=conversion,
            channel=channel,
            root=root,
            method=method,
        )
        warnings += issues
    dicom = {channel: found["segments"] for channel, found in segments.items() if found}
    facts = {"reference": reference, "segmented": True, "atlas_ml": on_atlas, "masks": written}
    if dicom:
        facts["dicom"] = dicom
    return StepRecord(case, STEP, warnings=tuple(warnings), facts=facts)


def _read_mask(path: Path, method: SegmentationMethod) -> Image:
    """Return the mask on the atlas, which has only values that the segmentation writes."""
    mask = image_of(read_prepared(path))
    if unknown := sorted(set(np.unique(mask.array).tolist()) - set(method.written.values())):
        remedy = f"delete {describe_locations(path.parent)} and run again"
        raise CorruptedFileError(f"{path}: the value {unknown[0]} is not a label; {remedy}")
    return mask


def _rounded(volumes_ml: Mapping[int, float]) -> dict[str, float]:
    """Return the volume of each value of a mask as a fact."""
    return {str(value): round(volume, 3) for value, volume in volumes_ml.items()}
