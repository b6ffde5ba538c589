"""Write the native mask of a patient as a DICOM segmentation, if its image came from DICOM."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.validation_result import Issue
from tumorseg.io.files import read_json
from tumorseg.preparation.dicom_segmentation import SegmentingModels, write_dicom_segmentation
from tumorseg.preparation.dicom_source import DicomSourceError
from tumorseg.preparation.step_record import StepRecord
from tumorseg.segmentation.results import RECORD_FILE as SEGMENTATION_RECORD
from tumorseg.task import Task
from tumorseg.task.conventions import label_values_on_disk, map_values


@dataclass(frozen=True)
class SegmentationMethod:
    """How the masks of a folder were made.

    Attributes:
        task: task of the models.
        written: value on disk of each label, background included.
        models: the models.
    """

    task: Task
    written: dict[int, int]
    models: SegmentingModels


def read_method(masks: Path) -> SegmentationMethod:
    """Return how the masks in a folder of the rule segment_batch were made."""
    how = read_json(masks / SEGMENTATION_RECORD)["how"]
    digests = {Path(model["file"]).name: model["digest"] for model in how["models"]}
    notices = tuple(dict.fromkeys(model["mark"] for model in how["models"] if model["mark"]))
    task = Task.from_json(how["task"])
    # New patients have no mask of their own, so the convention of the cohort decided.
    written = label_values_on_disk(task, None, how["convention"])
    return SegmentationMethod(task, written, SegmentingModels(digests, notices))


def write_dicom_mask(
    path: Path,
    mask: NDArray[np.uint8],
    affine: NDArray[np.float64],
    *,
    conversion: StepRecord,
    channel: str,
    root: Path,
    method: SegmentationMethod,
) -> tuple[dict[str, Any], list[Issue]]:
    """Write a mask as a DICOM segmentation that refers to the series of its channel.

    Args:
        path: file to write.
        mask: values on disk (X, Y, Z) on the native grid of the channel; `method.written` has them all.
        affine: voxel to millimetres (RAS), (4, 4).
        conversion: record of the rule convert.
        channel: the channel.
        root: folder of the patients, which the paths in the record are relative to.
        method: how the mask was made.

    Returns:
        Facts: the labels that became segments; empty if the channel is no DICOM series or no file was written. And a
        warning if the source files do not fit.
    """
    facts: Mapping[str, Any] = conversion.facts["channels"][channel]
    if facts["kind"] != "dicom":
        return {}, []
    labels = map_values(mask, {value: label for label, value in method.written.items()})
    sources = [root / name for name in facts["files"]]
    try:
        segments = write_dicom_segmentation(path, labels, affine, sources, task=method.task, models=method.models)
    except DicomSourceError as error:
        message = f"{facts['label']}: there is no DICOM segmentation: {error}"
        return {}, [Issue("no_dicom_segmentation", conversion.case, message)]
    if not segments:
        message = f"{facts['label']}: there is no DICOM segmentation, since the mask marks no tumour"
        return {}, [Issue("no_dicom_segmentation", conversion.case, message)]
    return {"segments": list(segments)}, []
