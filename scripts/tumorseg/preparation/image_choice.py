"""Recognise what each NIfTI file of a patient shows by its name, and choose one for each channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
import pandas as pd

from tumorseg.cohort.file_names import MASK, case_and_role, nifti_stem, printable
from tumorseg.cohort.layouts.listing import is_mask_folder_name
from tumorseg.cohort.validation_result import Issue
from tumorseg.formatting import format_count
from tumorseg.geometry import format_shape
from tumorseg.io.nifti_header import NiftiHeader
from tumorseg.io.volume import read_volume_header
from tumorseg.io.volume_errors import VolumeError
from tumorseg.preparation.channel_choice import (
    MIN_SLICES,
    Candidate,
    ChannelChoice,
    choose_channels,
    missing_channel_warnings,
)
from tumorseg.preparation.sequence_names import T1, T1CE, is_mask_name, is_processed_name, read_name
from tumorseg.task import Task

_PLANES: Final = ("sagittal", "coronal", "axial")


@dataclass(frozen=True, eq=False)
class ImageFile:
    """A NIfTI file: its path relative to the folder of the patient, and its header, None if it is not valid."""

    path: str
    header: NiftiHeader | None


def read_image_files(folder: Path, files: Sequence[str]) -> tuple[ImageFile, ...]:
    """Return NIfTI files with their headers.

    Args:
        folder: folder of the patient.
        files: paths relative to it.
    """
    return tuple(ImageFile(path, _read_header(folder / path)) for path in files)


def choose_images(images: Sequence[ImageFile], task: Task, case: str) -> ChannelChoice:
    """Choose one file for each channel of a task.

    Args:
        images: all NIfTI files of a patient.
        task: defines the channels, and endings of file names that take precedence over words in the names.
        case: name of the patient, for the issues.

    Returns:
        The choice, with a problem if no file can be used.
    """
    choice = choose_channels([_candidate(image, task) for image in images], task, case)
    problems, warnings = list(choice.problems), list(choice.warnings)
    if not (choice.chosen or problems):
        message = (
            f"no name of {format_count(len(images), 'NIfTI file')} was recognised as a channel of the task; name the "
            "files like t1.nii.gz, t1_post.nii.gz, t2.nii.gz and flair.nii.gz, or list them in a sample sheet "
            "(segment.samples or cohort.samples)"
        )
        problems.append(Issue("no_usable_image", case, message))
    elif not problems:
        warnings += missing_channel_warnings(choice.chosen, task, case)
    return ChannelChoice(choice.chosen, choice.decisions, tuple(problems), tuple(warnings))


def image_table(images: Sequence[ImageFile], decisions: Sequence[str]) -> pd.DataFrame:
    """Return a table with a row for each file: what was decided, and its grid."""
    rows = [
        (printable(image.path), decision, *(_describe_grid(image.header) if image.header else ("", "", "")))
        for image, decision in zip(images, decisions, strict=True)
    ]
    return pd.DataFrame(rows, columns=["file", "decision", "shape", "spacing_mm", "plane"], dtype=object)


def _read_header(path: Path) -> NiftiHeader | None:
    try:
        return read_volume_header(path)
    except (VolumeError, OSError):  # the conversion reads the file completely and says what is wrong
        return None


def _candidate(image: ImageFile, task: Task) -> Candidate:
    path = PurePosixPath(image.path)
    stem = nifti_stem(path.name) or path.name
    in_task = case_and_role(path.name, task)
    clues, processed = read_name(stem), is_processed_name(stem)
    left = clues.other
    if is_mask_name(stem) or is_mask_folder_name(path.parent.name) or (in_task and in_task[1] == MASK):
        left = "a mask"
    if clues.contrast is None and not left:  # as in `T1_post/image.nii.gz`
        of_folders = (read_name(part) for part in path.parts[-2::-1])
        clues = next((found for found in of_folders if found.contrast or found.other), clues)
        left = clues.other
    contrast = T1CE if clues.contrast == T1 and clues.agent else clues.contrast
    if in_task and in_task[1] != MASK and contrast is None:
        contrast = in_task[1]
    header = image.header
    return Candidate(
        label=printable(image.path),
        contrast=contrast,
        left=left or (_reason_left(header) if header else ""),
        derived=processed,
        agent_named=contrast == T1CE,
        after_agent=bool(clues.agent) and clues.contrast != T1,
        fat_saturated=clues.fat_saturated,
        plane=_plane(header) if header else "",
        shape=header.shape if header else (),
        spacing_mm=_spacing_mm(header) if header else (),
    )


def _reason_left(header: NiftiHeader) -> str:
    if len(header.shape) != 3:
        return f"its shape is {format_shape(header.shape)}, not that of one 3D image"
    if min(header.shape) < MIN_SLICES:
        return f"it has {format_count(min(header.shape), 'slice')} only"
    return ""


def _spacing_mm(header: NiftiHeader) -> tuple[float, ...]:
    return tuple(np.linalg.norm(header.orientation.affine[:3, :3], axis=0).round(4).tolist())


def _plane(header: NiftiHeader) -> str:
    """Return the plane of the slices, whose normal is the axis with the longest voxel edge."""
    across = int(np.argmax(_spacing_mm(header)))
    normal = header.orientation.affine[:3, across]
    return _PLANES[int(np.argmax(np.abs(normal)))]


def _describe_grid(header: NiftiHeader) -> tuple[str, str, str]:
    edges = " x ".join(f"{edge:.4g}" for edge in _spacing_mm(header))
    return format_shape(header.shape), edges, _plane(header)
