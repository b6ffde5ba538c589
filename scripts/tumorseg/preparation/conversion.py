"""Write the selected images of a patient as NIfTI files on their own grids, with the record of the step."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

import deflate
import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.validation_result import Issue
from tumorseg.errors import UserError
from tumorseg.io.decompression import GZIP_MAGIC, open_content
from tumorseg.io.files import make_folder, write_bytes
from tumorseg.io.nifti import nifti_bytes
from tumorseg.io.nifti_header import NIFTI1_HEADER_BYTES, header_length
from tumorseg.io.tables import write_table
from tumorseg.io.volume import Volume
from tumorseg.io.volume_errors import VolumeError
from tumorseg.preparation.dicom_conversion import ConversionError, convert_series
from tumorseg.preparation.dicom_headers import digest_of
from tumorseg.preparation.image_checks import equal_image_problems, image_problems, image_warnings
from tumorseg.preparation.image_selection import SelectedImage, Selection, select_images
from tumorseg.preparation.patient_source import PatientSource
from tumorseg.preparation.scanner_images import read_scanner_image
from tumorseg.preparation.source_files import source_records
from tumorseg.preparation.step_record import RECORD_FILE, StepRecord, write_step_record
from tumorseg.task import Task

STEP: Final = "convert"
TABLE_FILE: Final = "series.tsv"
"""Name of the table of all series or files of the patient."""
_COMPRESSION_LEVEL: Final = 6
_START_BYTES: Final = 2**12
"""Bytes of a compressed file that hold its header."""


@dataclass(frozen=True, eq=False)
class _ConvertedImage:
    """An image in the form in which it is written.

    Attributes:
        content: bytes of the compressed NIfTI file.
        volume: its content.
        paths: its source files in the order of the third axis, relative to the data folder or absolute.
    """

    content: bytes
    volume: Volume
    paths: list[str]


def image_path(folder: Path, channel: str) -> Path:
    """Return the path of a converted image in the folder of the step."""
    return folder / f"{channel}.nii.gz"


def convert_patient(root: Path, source: PatientSource, task: Task, output: Path) -> StepRecord:
    """Select, convert and check the images of a patient, and write them with their table and record.

    Args:
        root: data folder, which the paths of `source` are relative to.
        source: the files of the patient.
        task: defines the channels.
        output: folder to write. Without a problem, it has one image for each channel that was found.

    Returns:
        The record. Its facts are `kind` of the source, `source_files` (see `source_records`), `patient` (if a patient
        has several visits, else null), `study_date` (YYYY-MM-DD or null) and `channels`: for each `kind` (`dicom` or
        `nifti`), `label`, `files` (source files in the order of the third axis), `shape`, `spacing_mm`, `slices`, and
        of DICOM `series_digest`, `frame_of_reference` (a digest) and `frames` (whether all slices are frames of one
        file).

    Raises:
        UserError: the disk is full or not writable, or there is not enough memory.
    """
    selection = select_images(root, source, task)
    problems, warnings = list(selection.problems), list(selection.warnings)
    converted: dict[str, _ConvertedImage] = {}
    if not problems:
        for channel, image in selection.images.items():
            try:
                converted[channel] = _convert(root, image)
            except (VolumeError, ConversionError) as error:
                message = error.message if isinstance(error, ConversionError) else f"{image.label}: {error.message}"
                problems.append(Issue(error.code, source.case, message))
                continue
            problems += image_problems(converted[channel].volume, image.label, source.case)
    if not problems:
        volumes = {channel: image.volume for channel, image in converted.items()}
        problems += equal_image_problems(volumes, source.case)
        for channel, volume in volumes.items():
            warnings += image_warnings(volume, selection.images[channel].label, source.case)
    make_folder(output)
    write_table(output / TABLE_FILE, selection.table)
    if not problems:
        for channel, written in converted.items():
            write_bytes(image_path(output, channel), written.content)
    facts = {} if problems else _facts(source, selection, converted)
    facts |= {"kind": source.kind, "source_files": source_records(root, source)}
    record = StepRecord(source.case, STEP, tuple(problems), tuple(warnings), facts)
    write_step_record(output / RECORD_FILE, record)
    return record


def _convert(root: Path, image: SelectedImage) -> _ConvertedImage:
    try:
        if image.series is None:
            return _read_nifti(root / image.paths()[0], image)
        with TemporaryDirectory() as temporary:
            folder = root / image.folder
            file, volume, is_reversed = convert_series(folder, image.series, Path(temporary))
            paths = image.paths()[::-1] if is_reversed else image.paths()
            return _ConvertedImage(_compress(file.read_bytes()), volume, paths)
    except MemoryError:
        raise UserError(f"{image.label}: there is not enough memory to read it; close other programs") from None


def _read_nifti(path: Path, image: SelectedImage) -> _ConvertedImage:
    """Return a NIfTI file: its own bytes if it is a 3D file of NIfTI-1, else written anew with equal voxels."""
    volume = read_scanner_image(path)
    raw = path.read_bytes()
    if volume.trailing_bytes or not _is_plain(raw):
        content = nifti_bytes(_writable(volume.array), volume.affine, forms=volume.forms)
    else:
        content = raw if raw.startswith(GZIP_MAGIC) else _compress(raw)
    return _ConvertedImage(content, volume, image.paths())


def _is_plain(raw: bytes) -> bool:
    """Return whether a file has a header of NIfTI-1 with three dimensions; others are less widely understood."""
    start = bytes(open_content(raw[:_START_BYTES]).take(NIFTI1_HEADER_BYTES))
    order: Literal["little", "big"] = "little" if start[:2] != b"\0\0" else "big"
    return header_length(start + bytes(4)) == NIFTI1_HEADER_BYTES and int.from_bytes(start[40:42], order) == 3


def _writable(array: NDArray[Any]) -> NDArray[Any]:
    """Return voxels in a data type that all programs read."""
    return array.astype(np.float64) if array.dtype.kind in "iu" and array.dtype.itemsize > 4 else array


def _compress(content: bytes) -> bytes:
    return bytes(deflate.gzip_compress(content, _COMPRESSION_LEVEL))


def _facts(source: PatientSource, selection: Selection, converted: Mapping[str, _ConvertedImage]) -> dict[str, Any]:
    headers = [image.series.header for image in selection.images.values() if image.series is not None]
    dates = {header.study_date for header in headers} - {""}
    return {
        "patient": source.patient,
        "study_date": source.date or (dates.pop() if len(dates) == 1 else None),
        "channels": {channel: _image_facts(selection.images[channel], image) for channel, image in converted.items()},
    }


def _image_facts(image: SelectedImage, converted: _ConvertedImage) -> dict[str, Any]:
    facts = {
        "kind": "nifti" if image.series is None else "dicom",
        "label": image.label,
        "files": converted.paths,
        "shape": list(converted.volume.shape),
        "spacing_mm": [round(edge, 4) for edge in converted.volume.spacing_mm],
        "slices": min(converted.volume.shape),
    }
    if image.series is None:
        return facts
    return {
        **facts,
        "slices": image.series.slices,
        "series_digest": digest_of(image.series.header.series),
        "frame_of_reference": image.series.header.frame_of_reference or None,
        "frames": len(image.files) == 1,
    }
