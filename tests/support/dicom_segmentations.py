"""Series whose pixels carry a mask, and DICOM Segmentation objects made from them and read back."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pydicom
from highdicom.seg import segread

from tests.support.builders import TASK
from tests.support.dicom import AXIAL, RAS_TO_LPS, T1CE, VolumeOnGrid, convert_back, write_series
from tumorseg.preparation.dicom_segmentation import SegmentingModels, write_dicom_segmentation

MODELS = SegmentingModels({"starter": "ab" * 32}, ("STARTER MODEL: check every mask",))
_VALUES_PER_LABEL = 100


class Marked(NamedTuple):
    """A series on disk, and the mask that its pixels carry, on the grid to which dcm2niix converts it."""

    files: list[Path]
    mask: VolumeOnGrid


def marked_series(folder: Path, affine=AXIAL, *, labels=(0, *TASK.label_values), shape=(12, 10, 6), header=T1CE):
    """Write a series of noise whose pixel values, divided by 100, are random labels.

    So a segment can be compared with the pixels of the scanner's own slices, whatever the converter does to the grid.
    """
    rng = np.random.default_rng(0)
    volume = rng.choice(labels, shape) * _VALUES_PER_LABEL + rng.integers(0, _VALUES_PER_LABEL, shape)
    files = write_series(folder / "dicom", volume.astype(np.uint16), affine, header)
    (image,) = convert_back(folder / "dicom", folder / "nifti")
    return Marked(files, VolumeOnGrid((image.voxels // _VALUES_PER_LABEL).astype(np.uint8), image.affine))


def write_segmentation(path: Path, series: Marked, *, files=None, task=TASK, models=MODELS) -> tuple[int, ...]:
    """Write the mask of a series as DICOM, and return the labels of its segments."""
    return write_dicom_segmentation(path, *series.mask, files or series.files, task=task, models=models)


def wrong_pixels(path: Path, files, labels) -> int:
    """Return how many pixels of a segmentation differ from the label that the source slice of their frame carries.

    labels: the label of each segment.
    """
    dataset = pydicom.dcmread(path)
    sources = {source.SOPInstanceUID: source for source in map(pydicom.dcmread, files)}
    wrong, seen = 0, set()
    for groups, frame in zip(dataset.PerFrameFunctionalGroupsSequence, dataset.pixel_array, strict=True):
        source = sources[groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID]
        assert groups.PlanePositionSequence[0].ImagePositionPatient == source.ImagePositionPatient
        segment = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        seen.add((segment, source.SOPInstanceUID))
        wrong += int(((source.pixel_array // _VALUES_PER_LABEL == labels[segment - 1]) != frame.astype(bool)).sum())
    assert len(seen) == len(sources) * len(labels)
    return wrong


def labels_from(path: Path, labels) -> VolumeOnGrid:
    """Return the label map of a segmentation, whose segments have these labels, with highdicom's geometry."""
    volume = segread(path).get_volume(combine_segments=True)
    values = np.array([0, *labels], np.uint8)[volume.array.astype(int)]
    return VolumeOnGrid(values, np.diag([*np.diag(RAS_TO_LPS), 1]) @ volume.affine)
