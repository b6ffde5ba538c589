"""Write DICOM MR series without personal data from volumes, and convert series back with dcm2niix."""

import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import dcm2niix
import nibabel
import numpy as np
from nibabel.affines import from_matvec
from nibabel.eulerangles import euler2mat
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from pydicom.valuerep import DS

AXIAL = np.array([[-1, 0, 0, 5], [0, -2, 0, 9], [0, 0, 5, -3], [0, 0, 0, 1.0]])
GRIDS = {
    "axial": AXIAL,
    "axial, from head to feet": AXIAL * [1, 1, -1, 1],
    "flipped columns": AXIAL * [-1, 1, 1, 1],
    "sagittal": np.array([[0, 0, 4, -40.5], [-1.5, 0, 0, 60], [0, -0.75, 0, 31], [0, 0, 0, 1]]),
    "coronal": np.array([[-0.9, 0, 0, 33], [0, 0, 3, -50], [0, -0.9, 0, 44.25], [0, 0, 0, 1]]),
    "oblique": from_matvec(euler2mat(0.3, -0.2, 0.15) @ np.diag([-0.9, -1.1, 5.5]), [80, 70.5, -40]),
}
"""Affines of usual series, from the indices of column, row and slice to mm (RAS)."""


class VolumeOnGrid(NamedTuple):
    """Voxels (X, Y, Z), and the affine from voxel to millimetres (RAS)."""

    voxels: Any
    affine: Any


RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])
"""NIfTI's axes point right, front and up; DICOM's point left, back and up."""


@dataclass(frozen=True)
class Series:
    """The header of an MR series. Equal headers and voxels give equal files, UIDs included.

    Attributes:
        description: SeriesDescription and ProtocolName.
        number: SeriesNumber.
        contrast_agent: ContrastBolusAgent; None without one.
        repetition_time_ms: RepetitionTime.
        echo_time_ms: EchoTime.
        inversion_time_ms: InversionTime; None without one.
        scanning_sequence: ScanningSequence, such as `SE` or `GR`.
        acquisition_type: MRAcquisitionType, `2D` or `3D`.
        body_part: BodyPartExamined; empty for an empty element, None without one.
        modality: Modality.
        image_type: ImageType.
        patient_id: PatientID; the names of all patients are empty.
        study_date: StudyDate and the other dates, as YYYYMMDD.
        study_uid: StudyInstanceUID; None for one from patient and date.
        frame_of_reference: FrameOfReferenceUID; None for one from the study.
        slope: RescaleSlope. Stored values are (voxel - intercept) / slope.
        intercept: RescaleIntercept.
        other: further elements by keyword, which replace those above; None leaves an element out.
    """

    description: str = "t1_tse_ax"
    number: int = 1
    contrast_agent: str | None = None
    repetition_time_ms: float = 500.0
    echo_time_ms: float = 10.0
    inversion_time_ms: float | None = None
    scanning_sequence: str = "SE"
    acquisition_type: str = "2D"
    body_part: str | None = "BRAIN"
    modality: str = "MR"
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "M", "NORM")
    patient_id: str = "TEST-1"
    study_date: str = "20200102"
    study_uid: str | None = None
    frame_of_reference: str | None = None
    slope: float = 1.0
    intercept: float = 0.0
    other: dict[str, Any] = field(default_factory=dict)


T1 = Series("t1_tse_ax", 1)
T1CE = Series("t1_tse_ax_post_gd", 2, contrast_agent="Gadobutrol")
T2 = Series("t2_tse_ax", 3, repetition_time_ms=4500.0, echo_time_ms=95.0)
FLAIR = Series("t2_flair_ax", 4, repetition_time_ms=9000.0, echo_time_ms=90.0, inversion_time_ms=2500.0)
"""Headers of the four usual sequences of one study."""


def write_series(folder: Path, volume, affine, header: Series = T1) -> list[Path]:
    """Write a series as one file for each slice, and return the files in the order of the third axis.

    The first axis of the volume becomes the columns of the slices, the second one their rows.

    Args:
        folder: where to write; made if it is missing.
        volume: voxels (X, Y, Z), any type; stored values must be whole numbers of 16 bits after slope and intercept.
        affine: voxel to millimetres (RAS), of orthogonal axes, as of a NIfTI image.
        header: see `Series`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stored = _stored_values(np.asarray(volume), header)
    edges, position = _geometry(np.asarray(affine, float))
    common = _common_elements(stored, edges, header)
    paths = []
    for index in range(stored.shape[2]):
        dataset = Dataset()
        dataset.update(common)
        dataset.InstanceNumber = index + 1
        dataset.ImagePositionPatient = _decimals(position + index * edges[:, 2])
        dataset.SliceLocation = _decimal(np.dot(position + index * edges[:, 2], _unit(edges)[:, 2]))
        dataset.SOPInstanceUID = generate_uid(entropy_srcs=[dataset.SeriesInstanceUID, str(index)])
        dataset.PixelData = np.ascontiguousarray(stored[:, :, index].T).tobytes()
        for keyword, value in header.other.items():
            if value is None:
                dataset.pop(keyword, None)
            else:
                setattr(dataset, keyword, value)
        paths.append(folder / f"{header.number:03d}-{index + 1:04d}.dcm")
        _save(dataset, paths[-1])
    return paths


def write_nifti_as_series(folder: Path, image_file: Path, header: Series = T1) -> list[Path]:
    """Write a NIfTI image as a series (see `write_series`). Values that are not whole numbers get a slope."""
    image = nibabel.load(image_file)
    volume = np.asarray(image.get_fdata())
    if (volume != volume.round()).any() or np.ptp(volume) > np.iinfo(np.uint16).max:
        header = replace(header, slope=float(np.ptp(volume)) / 4095, intercept=float(volume.min()))
        volume = ((volume - header.intercept) / header.slope).round() * header.slope + header.intercept
    return write_series(folder, volume, image.affine, header)


def convert_back(folder: Path, output: Path):
    """Convert the series in a folder with dcm2niix, and return the volumes by the order of their numbers."""
    output.mkdir(parents=True, exist_ok=True)
    command = [dcm2niix.bin, "-z", "n", "-b", "n", "-f", "%3s_%d", "-o", str(output), str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    images = [nibabel.load(path) for path in sorted(output.glob("*.nii"))]
    return [VolumeOnGrid(np.asarray(image.dataobj), image.affine) for image in images]


def on_grid_of(reference: VolumeOnGrid, volume: VolumeOnGrid):
    """Return the voxels of a volume on the grid of another one, whose axes may be permuted or flipped.

    Raises:
        ValueError: the voxels of the two grids are not at the same positions, within 0.02 mm.
    """
    places = np.indices(reference.voxels.shape).reshape(3, -1)
    exact = np.linalg.inv(volume.affine) @ reference.affine @ np.vstack([places, np.ones(places.shape[1])])
    indices = exact[:3].round().astype(int)
    offset_mm = np.linalg.norm(volume.affine[:3, :3] @ (exact[:3] - indices), axis=0).max()
    outside = (indices < 0).any() or (indices.max(axis=1) >= volume.voxels.shape).any()
    if offset_mm > 0.02 or outside or reference.voxels.size != volume.voxels.size:
        raise ValueError(f"the grids differ (by {offset_mm:.3g} mm; outside: {outside})")
    return volume.voxels[tuple(indices)].reshape(reference.voxels.shape)


def _stored_values(volume, header: Series):
    """Return the stored integers of a volume, as uint16 if none is negative, else as int16."""
    stored = (volume - header.intercept) / header.slope
    if np.abs(stored - stored.round()).max() > 1e-3:
        raise ValueError("stored values are not whole numbers; choose another slope and intercept")
    kind = np.int16 if stored.min() < -0.5 else np.uint16
    if stored.min() < np.iinfo(kind).min - 0.5 or stored.max() > np.iinfo(kind).max + 0.5:
        raise ValueError("stored values need more than 16 bits; choose another slope and intercept")
    return stored.round().astype(kind)


def _geometry(affine):
    """Return the edges of a voxel as columns and the centre of the first voxel, in mm (LPS)."""
    edges = RAS_TO_LPS @ affine[:3, :3]
    axes = _unit(edges)
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-4:
        raise ValueError("the axes of the grid are not orthogonal")
    return edges, RAS_TO_LPS @ affine[:3, 3]


def _unit(edges):
    return edges / np.linalg.norm(edges, axis=0)


def _common_elements(stored, edges, header: Series) -> Dataset:
    """Return the elements that all slices share."""
    study = header.study_uid or generate_uid(entropy_srcs=[header.patient_id, header.study_date])
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = MRImageStorage
    dataset.PatientName, dataset.PatientID = "", header.patient_id
    dataset.PatientBirthDate, dataset.PatientSex = "", ""
    dataset.StudyInstanceUID = study
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = header.study_date
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = "120000"
    dataset.ReferringPhysicianName, dataset.StudyID, dataset.AccessionNumber = "", "1", ""
    dataset.Modality, dataset.ImageType = header.modality, list(header.image_type)
    content = [repr(header), edges.round(6).tobytes().hex(), stored.tobytes().hex()]
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[study, *content])
    dataset.SeriesNumber = dataset.AcquisitionNumber = header.number
    dataset.SeriesDescription = dataset.ProtocolName = header.description
    dataset.Manufacturer, dataset.ManufacturerModelName = "Test", "Test"
    dataset.MagneticFieldStrength = 3
    if header.body_part is not None:
        dataset.BodyPartExamined = header.body_part
    if header.contrast_agent is not None:
        dataset.ContrastBolusAgent = header.contrast_agent
    dataset.PatientPosition, dataset.PositionReferenceIndicator = "HFS", ""
    dataset.FrameOfReferenceUID = header.frame_of_reference or generate_uid(entropy_srcs=[study, "frame"])
    _add_sequence(dataset, header)
    _add_pixel_description(dataset, stored, edges, header)
    return dataset


def _add_sequence(dataset: Dataset, header: Series) -> None:
    dataset.ScanningSequence, dataset.SequenceVariant = header.scanning_sequence, "SK"
    dataset.ScanOptions, dataset.MRAcquisitionType = "", header.acquisition_type
    dataset.RepetitionTime, dataset.EchoTime = header.repetition_time_ms, header.echo_time_ms
    dataset.EchoTrainLength = 1
    if header.inversion_time_ms is not None:
        dataset.InversionTime = header.inversion_time_ms


def _add_pixel_description(dataset: Dataset, stored, edges, header: Series) -> None:
    columns_mm, rows_mm, slices_mm = np.linalg.norm(edges, axis=0)
    axes = _unit(edges)
    dataset.SliceThickness = dataset.SpacingBetweenSlices = _decimal(slices_mm)
    dataset.ImageOrientationPatient = _decimals([*axes[:, 0], *axes[:, 1]])
    # The first value is the distance between rows, which lie along the second axis of the volume.
    dataset.PixelSpacing = _decimals([rows_mm, columns_mm])
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Columns, dataset.Rows = stored.shape[:2]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = int(stored.dtype == np.int16)
    if (header.slope, header.intercept) != (1.0, 0.0):
        dataset.RescaleSlope, dataset.RescaleIntercept = _decimal(header.slope), _decimal(header.intercept)
        dataset.RescaleType = "US"


def _decimal(value) -> DS:
    """Return a number as a decimal string of at most 16 characters, which the standard allows."""
    return DS(float(value) + 0.0, auto_format=True)


def _decimals(values) -> list[DS]:
    return [_decimal(value) for value in values]


def _save(dataset: Dataset, path: Path) -> None:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
