"""The images of a new patient as a folder or a sample sheet gives them, and their form on command lines."""

import json
from dataclasses import asdict, dataclass, field
from typing import Literal

SourceKind = Literal["dicom", "nifti", "sheet", "none"]


@dataclass(frozen=True)
class PatientSource:
    """The images of a patient, or of one visit of a patient, before any of them is read.

    Attributes:
        case: unique name that can be used in paths and as a wildcard.
        kind: `dicom` or `nifti` by the files in the folder; `sheet` if a sample sheet lists the images of each channel;
            `none` if there is no image.
        folder: folder of the case, relative to the data folder; "" is the data folder itself.
        files: of `nifti`, the NIfTI files; of `none`, the other files found. Relative to `folder`.
        channels: of `sheet`, the path for each channel: a NIfTI file, a folder with one DICOM series, or a file of a
            DICOM series. Relative to the data folder or absolute.
        patient: the patient, if the folder holds several visits; else None.
        date: date of the images as YYYY-MM-DD, if the sample sheet gives it.
        other_images: whether NIfTI files lie beside DICOM files, which are not used then.
        listing: digest of the names of all files; it changes when a file is added or removed.
    """

    case: str
    kind: SourceKind
    folder: str
    files: tuple[str, ...] = ()
    channels: dict[str, str] = field(default_factory=dict)
    patient: str | None = None
    date: str | None = None
    other_images: bool = False
    listing: str = ""


def source_to_json(source: PatientSource) -> str:
    """Return a source as one line of JSON with sorted keys."""
    return json.dumps(asdict(source), sort_keys=True, separators=(",", ":"))


def source_from_json(text: str) -> PatientSource:
    """Return the source that `source_to_json` wrote."""
    content = json.loads(text)
    return PatientSource(**{**content, "files": tuple(content["files"])})
