"""Write masks as a DICOM Segmentation object that refers to the series of the scanner."""

import json
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

import numpy as np
from highdicom import UID, AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import DA, TM

from tumorseg.errors import Message
from tumorseg.io.digests import content_digest
from tumorseg.io.files import atomic_write
from tumorseg.preparation.dicom_codes import ALGORITHM_FAMILY, BRAIN, CATEGORY, PROPERTY_TYPES, DicomCode
from tumorseg.preparation.dicom_slices import mask_on_slices
from tumorseg.preparation.dicom_source import DicomSourceError, SourceSeries, read_source_series
from tumorseg.task import Label, Task
from tumorseg.version import __version__

_RESEARCH_USE: Final[Message] = "Research use only, not for clinical use"
_PRODUCT: Final = "tumorseg"
_FIRST_SERIES_NUMBER: Final = 9000
"""Added to the number of the source series, so that the segmentation follows all series of a scanner."""
_LONG_STRING: Final = 64
"""Largest number of characters of a text of DICOM's type LO."""


@dataclass(frozen=True)
class SegmentingModels:
    """The models that made a mask.

    Attributes:
        digests: SHA-256 of each model file, by the name of the file.
        notices: what everyone who uses their output must know (`ModelNotice.text`).
    """

    digests: dict[str, str]
    notices: tuple[Message, ...] = ()


def write_dicom_segmentation(
    path: Path,
    mask: NDArray[Any],
    affine: NDArray[np.float64],
    source_files: Sequence[Path],
    *,
    task: Task,
    models: SegmentingModels,
) -> tuple[int, ...]:
    """Write a mask as a DICOM Segmentation object (SEG) with one binary segment for each label.

    The object belongs to the study of the source series and has its frame of reference. All slices of the source are in
    it, and each refers to its image: some readers place frames by number. A label without a voxel gets no segment,
    since empty segments stop some viewers; the comments of the object name it. A mask without any label gives no file
    at all, since the standard allows no object without a segment.

    The object has the patient and the study of the source, as each object of a study must: name, ID, birth date and sex
    of the patient; UID, ID, date, time, accession number and referring physician of the study. Keep it like the images.
    No other element about the patient, the hospital or the scanner is copied.

    Equal input gives equal bytes: UIDs come from the content, date and time of the content from the source. Only if the
    source has no date at all, date, time and UIDs are those of the run, since the standard demands a date.

    Args:
        path: file to write, atomically; removed if the mask marks nothing.
        mask: canonical labels (X, Y, Z), any integer dtype, on the grid of the source series as it was converted; axes
            may be permuted or flipped.
        affine: voxel to millimetres (RAS), (4, 4).
        source_files: all DICOM files of the source series, in any order: one for each slice, or one multi-frame file.
        task: meaning of the labels.
        models: models that made the mask.

    Returns:
        The labels that became segments, in the order of the segments; empty if no file was written.

    Raises:
        DicomSourceError: the source files are not one complete series on the grid of the mask.
        ValueError: the mask has a value that is not a label of the task.

    References:
        DICOM PS3.3, A.51 (Segmentation IOD) and C.8.20.2 (Segmentation Image module).
    """
    if unknown := set(np.unique(mask).tolist()) - {0, *task.label_values}:
        raise ValueError(f"{min(unknown)} is not a label of the task {task.name}")
    series = read_source_series(source_files)
    slices = mask_on_slices(mask, affine, series)
    labels = [label for label in task.labels if (slices == label.value).any()]
    if not labels:
        path.unlink(missing_ok=True)
        return ()
    segmentation = _segmentation(slices, labels, series, task, models)
    with atomic_write(path) as temporary:
        segmentation.save_as(temporary, enforce_file_format=True)
    return tuple(label.value for label in labels)


def _segmentation(
    slices: NDArray[Any], labels: Sequence[Label], series: SourceSeries, task: Task, models: SegmentingModels
) -> Segmentation:
    """Return the object of non-empty labels."""
    header = series.headers[0]
    moment = _content_moment(header)
    segments = np.zeros(slices.shape, np.uint8)
    for number, label in enumerate(labels, 1):
        segments[slices == label.value] = number
    comments = _comments(labels, task, models)
    facts = {
        "sources": [str(each.SOPInstanceUID) for each in series.headers],
        "labels": [asdict(label) for label in labels],
        "comments": comments,
        "version": __version__,
        "moment": moment.isoformat(),
    }
    digest = content_digest({"segments": segments}, json.dumps(facts, sort_keys=True))
    try:
        with warnings.catch_warnings(action="ignore"):  # their texts quote values, which may identify a person
            segmentation = Segmentation(
                source_images=series.headers,
                pixel_array=segments,
                segmentation_type=SegmentationTypeValues.BINARY,
                segment_descriptions=[_description(number, label, models) for number, label in enumerate(labels, 1)],
                series_instance_uid=_uid(digest, "series"),
                series_number=_FIRST_SERIES_NUMBER + int(header.get("SeriesNumber") or 0),
                sop_instance_uid=_uid(digest, "instance"),
                instance_number=1,
                manufacturer=_PRODUCT,
                manufacturer_model_name=_long_string(f"{_PRODUCT}: {', '.join(models.digests)}"),
                software_versions=__version__,
                device_serial_number=_long_string("+".join(value[:12] for value in models.digests.values())),
                transfer_syntax_uid=ExplicitVRLittleEndian,
                omit_empty_frames=False,
                content_label="BRAIN_TUMOUR",
                content_description=_RESEARCH_USE,
                series_description="Research use only: brain tumour segmentation",
                content_qualification="RESEARCH",
                content_date=moment.date(),
                content_time=moment.time(),
                specific_character_set="ISO_IR 192",  # UTF-8: titles of tasks and names of patients in one object
            )
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise DicomSourceError(
            f"the headers of the source series are not valid DICOM ({type(error).__name__}); "
            "export the series again from its archive"
        ) from None
    segmentation.ContentCreatorName = ""  # must be there, and the creator is no person
    segmentation.ImageComments = comments
    _remove_clock(segmentation, _uid(digest, "dimensions"))
    return segmentation


def _description(number: int, label: Label, models: SegmentingModels) -> SegmentDescription:
    """Return the description of the segment of a label."""
    parameters = {f"SHA-256 of {name}": digest for name, digest in models.digests.items()}
    description = SegmentDescription(
        segment_number=number,
        segment_label=_long_string(label.title),
        segmented_property_category=_code(CATEGORY),
        segmented_property_type=_code(PROPERTY_TYPES[label.meaning]),
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            name=_long_string(f"{_PRODUCT}: {', '.join(models.digests)}"),
            family=_code(ALGORITHM_FAMILY),
            version=__version__,
            parameters=parameters,
        ),
        anatomic_regions=[_code(BRAIN)],
        display_color=CIELabColor.from_string(label.colour),
    )
    description.SegmentDescription = f"{_RESEARCH_USE}. Label {label.value} of the masks."
    return description


def _comments(labels: Sequence[Label], task: Task, models: SegmentingModels) -> str:
    """Return the notices of the object, and the labels that are not in it."""
    absent = [label.title for label in task.labels if label not in labels]
    sentences = [_RESEARCH_USE, *models.notices, f"Labels of the task {task.title}"]
    if absent:
        sentences.append(f"Not found, therefore without a segment: {', '.join(absent)}")
    return " ".join(f"{sentence.rstrip('.')}." for sentence in sentences)


def _content_moment(header: Dataset) -> datetime:
    """Return when the source was made; now, if its header has no date."""
    for prefix in ("Content", "Acquisition", "Series", "Study"):
        try:
            day, moment = DA(header.get(f"{prefix}Date")), TM(header.get(f"{prefix}Time") or "000000")
        except ValueError:
            continue
        if isinstance(day, date) and isinstance(moment, time):
            return datetime.combine(date(day.year, day.month, day.day), time.fromisoformat(moment.isoformat()))
    return datetime.now().replace(microsecond=0)


def _remove_clock(segmentation: Segmentation, dimensions_uid: UID) -> None:
    """Remove the times of the run, which are optional, and replace the random UID of the dimensions."""
    del segmentation.InstanceCreationDate, segmentation.InstanceCreationTime
    for equipment in segmentation.ContributingEquipmentSequence:
        equipment.pop("ContributionDateTime", None)
    for item in (*segmentation.DimensionOrganizationSequence, *segmentation.DimensionIndexSequence):
        item.DimensionOrganizationUID = dimensions_uid


def _uid(digest: str, purpose: str) -> UID:
    """Return a UID from a digest. Its root 2.25 is for UIDs that are made from UUIDs (PS3.5, B.2)."""
    return UID.from_uuid(str(uuid5(NAMESPACE_OID, f"{_PRODUCT} {purpose} {digest}")))


def _code(code: DicomCode) -> Code:
    return Code(code.value, code.scheme, code.meaning)


def _long_string(text: str) -> str:
    """Return a text as DICOM's type LO allows it: short, without backslash and control characters."""
    printable = "".join(character if character.isprintable() else " " for character in text.replace("\\", "/"))
    return printable[:_LONG_STRING].strip()
