"""The step prepare_case: lay out the images of a labelled case on the atlas with its mask, as a case of a cohort."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from tumorseg.cohort.file_names import MASK
from tumorseg.cohort.image_checks import shape_problem
from tumorseg.cohort.mask_checks import NonzeroVoxels, label_problem, read_labels
from tumorseg.cohort.mask_grid import dense_mask, move_to_grid
from tumorseg.cohort.validation_result import Issue
from tumorseg.errors import Message
from tumorseg.formatting import format_list
from tumorseg.geometry import same_grid
from tumorseg.io.files import atomic_write, make_folder
from tumorseg.io.nifti import write_nifti
from tumorseg.io.volume import Volume
from tumorseg.io.volume_errors import VolumeError
from tumorseg.preparation.moved_masks import move_mask, moved_mask_warnings, values_of_mask
from tumorseg.preparation.patient_records import read_patient_records
from tumorseg.preparation.patient_source import PatientSource
from tumorseg.preparation.prepared_files import PatientFiles, atlas_path, matrix_from, read_prepared
from tumorseg.preparation.sampling import Image
from tumorseg.preparation.scanner_images import read_scanner_image
from tumorseg.preparation.source_files import source_records
from tumorseg.preparation.step_record import RECORD_FILE, StepRecord, first_failure, write_step_record
from tumorseg.task import Task

STEP: Final = "prepare_case"
_REMEDY: Final[Message] = "keep one, or name it in a sample sheet (cohort.samples)"
_NO_MASK: Final[Message] = (
    "no mask was found beside the images; name it like CASE-seg.nii.gz, or list it in a sample sheet (cohort.samples)"
)


@dataclass(frozen=True)
class MaskSource:
    """Where the mask of a case may be, and how it is read.

    Attributes:
        root: folder that the paths are relative to.
        files: files that may be the mask; only one is usable.
        labels: `cohort.labels`.
    """

    root: Path
    files: tuple[str, ...]
    labels: str

    def facts(self) -> list[dict[str, Any]]:
        """Return `path`, `bytes` and `digest` of each file."""
        return source_records(self.root, PatientSource("", "nifti", "", self.files))


@dataclass(frozen=True, eq=False)
class _RawMask:
    """The mask of a case on the grid of one of its images.

    Attributes:
        image: labels as they are on disk, uint8.
        channel: the image that it lies on.
        warnings: what was done to bring it there.
    """

    image: Image
    channel: str
    warnings: tuple[Issue, ...]


def write_prepared_case(
    patient: PatientFiles, steps: Path, mask: MaskSource, names: Mapping[str, str], output: Path, *, task: Task
) -> StepRecord:
    """Write a case of a cohort on the grid of the atlas: its images, its mask, and the record of all steps.

    The values of the mask stay those on disk. The facts of the record are `mask_files` (see
    `io.changed_files.recorded_files`), `mask_channel` (the image whose grid the mask has), `before_ml` and `after_ml`
    (the volume of each value of the mask), and `files` (the names of all files).

    Args:
        patient: the case's images and their registrations.
        steps: folder of the earlier steps.
        mask: where the mask may be.
        names: name of the file of each role.
        output: folder to write.
        task: task of the cohort.

    Returns:
        The record. Its warnings are those of all steps. It has the problems of the first step that failed, if any.

    Raises:
        CorruptedFileError: a file of an earlier step is missing or corrupted.
    """
    make_folder(output)
    records = [entry.record for entry in read_patient_records(steps)]
    earlier = tuple(dict.fromkeys(warning for record in records for warning in record.warnings))
    if failed := first_failure(records):
        record = StepRecord(patient.case, STEP, failed.problems, earlier, passed_on=True)
    else:
        to_atlas = next(record for record in records if record.step == "to_atlas")
        own = _write_files(patient, to_atlas, steps / "atlas", mask, names=names, output=output, task=task)
        record = replace(own, warnings=(*earlier, *own.warnings))
    record = replace(record, facts={**record.facts, "mask_files": mask.facts()})
    write_step_record(output / RECORD_FILE, record)
    return record


def _write_files(
    patient: PatientFiles,
    to_atlas: StepRecord,
    atlas: Path,
    source: MaskSource,
    *,
    names: Mapping[str, str],
    output: Path,
    task: Task,
) -> StepRecord:
    """Write the images and the mask, and return the record of this step alone."""
    case, matrices = patient.case, patient.matrices
    raw = _read_mask(patient, str(to_atlas.facts["reference"]), source, task)
    if isinstance(raw, Issue):
        return StepRecord(case, STEP, (raw,))
    channels = task.channels_among(matrices)
    grid = read_prepared(atlas_path(atlas, case, channels[0]))
    moved = move_mask(raw.image, grid, matrices[raw.channel] @ matrix_from(to_atlas))
    facts: dict[str, Any] = {
        "mask_channel": raw.channel,
        "before_ml": {str(label): round(volume, 3) for label, volume in moved.before_ml.items()},
        "after_ml": {str(label): round(volume, 3) for label, volume in moved.after_ml.items()},
    }
    (file,) = source.files
    if moved.outside:
        message = f"{values_of_mask(moved.outside)} lies outside the atlas; check that the mask belongs to the images"
        return StepRecord(case, STEP, (Issue("mask_outside_atlas", file, message),), raw.warnings, facts)
    for channel in channels:
        _link(atlas_path(atlas, case, channel), output / names[channel])
    write_nifti(output / names[MASK], moved.labels, grid.affine)
    facts["files"] = [*(names[channel] for channel in channels), names[MASK]]
    warnings = (*raw.warnings, *moved_mask_warnings(moved, file, "the atlas"))
    return StepRecord(case, STEP, warnings=warnings, facts=facts)


def _read_mask(patient: PatientFiles, reference: str, source: MaskSource, task: Task) -> _RawMask | Issue:
    """Return the mask of a case, or why it cannot be used."""
    if not source.files:
        return Issue("missing_mask", patient.case, _NO_MASK)
    if len(source.files) > 1:
        message = f"{format_list(source.files)} are all named like the mask; {_REMEDY}"
        return Issue("several_masks", patient.case, message)
    (file,) = source.files
    try:
        volume = read_scanner_image(source.root / file)
    except VolumeError as error:
        return Issue(error.code, file, error.message)
    if problem := shape_problem(volume.shape, file, None):
        return problem
    found = read_labels(volume.array)
    if problem := label_problem(found, file, task, source.labels):
        return problem
    return _place_mask(patient, reference, volume, found, file, task=task)


def _place_mask(
    patient: PatientFiles, reference: str, mask: Volume, found: NonzeroVoxels, file: str, *, task: Task
) -> _RawMask | Issue:
    """Return the mask on the grid of the image that it was drawn on; the reference image comes first."""
    titles = task.channel_titles
    images = {name: patient.volume(name) for name in task.channels_among(patient.matrices)}
    # An image with equal voxel centres but another extent may be that of another registration.
    order = sorted(images, key=lambda name: (not same_grid(mask, images[name]), name != reference))
    for channel in order:
        placed = move_to_grid(found, mask, images[channel], titles[channel])
        if placed.labels is not None:
            voxels = dense_mask(placed.labels, images[channel].shape)
            warnings = tuple(Issue(code, file, message) for code, message in placed.notes.items())
            return _RawMask(Image(voxels, images[channel].affine), channel, warnings)
    message = (
        f"the mask lies on the grid of none of the images ({format_list([titles[name] for name in images])}); export "
        "it on the grid of one of them, or copy the header of this image to it if it has the same voxels"
    )
    return Issue("mask_fits_no_image", file, message)


def _link(source: Path, target: Path) -> None:
    """Make a file appear in another folder, without a second copy where the disk allows that."""
    with atomic_write(target) as temporary:
        temporary.unlink()
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
