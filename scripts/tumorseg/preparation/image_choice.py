"""Recognise what each NIfTI file of a patient shows by its name, and choose one for each channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from tumorseg.cohort.file_names import printable
from tumorseg.cohort.layouts.synonyms import channels_by_name
from tumorseg.cohort.validation_result import Issue
from tumorseg.formatting import format_count, format_list
from tumorseg.geometry import format_shape
from tumorseg.io.nifti_header import NiftiHeader
from tumorseg.io.volume import read_volume_header
from tumorseg.io.volume_errors import VolumeError
from tumorseg.preparation.channel_choice import (
    MIN_SLICES,
    SHEET_REMEDY,
    Candidate,
    ChannelChoice,
    choose_channels,
    missing_channel_warnings,
)
from tumorseg.preparation.image_names import ImageNames, read_image_names
from tumorseg.preparation.sequence_names import T1, T1CE, is_processed_name
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
        task: defines the channels, and endings of file names that take precedence over words in the names. Only an
            ending for T1 with a word for contrast agent means T1CE, unless another file has an ending for T1CE.
        case: name of the patient, for the issues. As words that all names share, it does not say what an image is.

    Returns:
        The choice, with a problem if no file can be used.
    """
    channels = channels_by_name(task)
    names = read_image_names([image.path for image in images], task, case)
    by_ending = _named_by_ending(names, channels)
    candidates = [
        _candidate(read, image.header, channels, by_ending=read in by_ending)
        for read, image in zip(names, images, strict=True)
    ]
    choice = choose_channels(candidates, task, case)
    problems = list(choice.problems)
    warnings = [*choice.warnings, *_agent_warnings(names, by_ending, choice.chosen, channels, case)]
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


def _candidate(
    read: ImageNames, header: NiftiHeader | None, channels: Mapping[str, str], *, by_ending: bool
) -> Candidate:
    """Return an image as a candidate.

    Args:
        read: what its names say.
        header: header of the file; None if it is not valid.
        channels: channel of each name of a contrast.
        by_ending: whether its ending decides, although words say that it was made after contrast agent.
    """
    clues, contrast = read.clues, read.role
    if contrast is None or (contrast == channels.get(T1) and read.is_t1ce and not by_ending):
        contrast = T1CE if read.is_t1ce else clues.contrast
    return Candidate(
        label=printable(read.path),
        contrast=contrast,
        left=read.left or (_reason_left(header) if header else ""),
        derived=is_processed_name(read.stem),
        agent_named=contrast in (T1CE, channels.get(T1CE)),
        after_agent=bool(clues.agent) and clues.contrast != T1,
        fat_saturated=clues.fat_saturated,
        plane=_plane(header) if header else "",
        shape=header.shape if header else (),
        spacing_mm=_spacing_mm(header) if header else (),
    )


def _named_by_ending(names: Sequence[ImageNames], channels: Mapping[str, str]) -> list[ImageNames]:
    """Return images with an ending for T1 and words for contrast agent, beside one with an ending for T1CE."""
    usable = [one for one in names if one.role is not None and not one.left]
    if not any(one.role == channels.get(T1CE) for one in usable):
        return []
    return [one for one in usable if one.role == channels.get(T1) and one.is_t1ce]


def _agent_warnings(
    names: Sequence[ImageNames],
    by_ending: Sequence[ImageNames],
    chosen: Mapping[str, int],
    channels: Mapping[str, str],
    case: str,
) -> list[Issue]:
    """Return the warnings about names from which it is doubtful whether an image has contrast agent."""
    found = []
    if by_ending:
        files = format_list([printable(one.path) for one in by_ending])
        found.append(f"{files}: the ending means T1, but other words mean after contrast agent; the ending counts")
    t1 = chosen.get(channels.get(T1, ""))
    if t1 is not None and channels.get(T1CE) not in chosen and names[t1].is_shared_after:
        found.append(
            f"{printable(names[t1].path)} is used as {channels[T1]}: all names have a word that may mean after "
            "contrast agent"
        )
    return [Issue("doubtful_contrast_agent", case, f"{text}; if that is wrong, {SHEET_REMEDY}") for text in found]


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
