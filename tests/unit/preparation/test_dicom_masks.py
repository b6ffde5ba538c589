"""The native mask of a patient as a DICOM segmentation, from the records of the earlier steps."""

from dataclasses import replace

import nibabel
import numpy as np
import pytest

from tests.support.builders import TASK
from tests.support.dicom_segmentations import MODELS, marked_series, wrong_pixels
from tumorseg.inference.prediction_files import write_prediction
from tumorseg.orientation import NETWORK_AXES, reorient
from tumorseg.preparation.dicom_masks import SegmentationMethod, read_method, write_dicom_mask
from tumorseg.preparation.step_record import StepRecord
from tumorseg.preprocessing.store import Origin
from tumorseg.segmentation.results import write_record
from tumorseg.task.conventions import label_values_on_disk, map_values

METHOD = SegmentationMethod(TASK, {0: 0, 1: 1, 2: 2, 4: 3}, MODELS)


@pytest.fixture
def series(tmp_path):
    return marked_series(tmp_path)


def write(folder, series, *, kind="dicom", files=None, mask=None, method=METHOD):
    names = [str(path.relative_to(folder)) for path in files or series.files]
    facts = {"channels": {"t1ce": {"kind": kind, "label": "series 2 (t1 km)", "files": names}}}
    return write_dicom_mask(
        folder / "mask.dcm",
        map_values(series.mask.voxels, method.written) if mask is None else mask,
        series.mask.affine,
        conversion=StepRecord("P1", "convert", facts=facts),
        channel="t1ce",
        root=folder,
        method=method,
    )


@pytest.mark.parametrize(
    ("convention", "label_map"),
    [
        (None, None),
        ("brats2021", None),
        ("brats2023", None),
        ("mixed", None),
        ("label_map", {1: 2, 2: 1, 3: 4}),
        ("label_map", {1: 2, 2: 1, 3: 1, 4: 4}),  # these maps cannot be inverted
        ("label_map", {1: 4, 2: 2}),
    ],
)
def test_the_segments_are_the_labels_that_the_segmentation_wrote(tmp_path, series, convention, label_map):
    task = TASK.with_label_map(label_map) if label_map else TASK
    write_record(tmp_path, [], {"models": [], "task": task.to_json(), "convention": convention})
    shape, affine = series.mask.voxels.shape, series.mask.affine
    origin = Origin("P1", shape, affine, tuple((0, side) for side in shape), None, {}, {})
    labels = reorient(series.mask.voxels, affine, NETWORK_AXES)
    write_prediction(tmp_path, labels, origin, label_values_on_disk(task, None, convention))
    mask = np.asarray(nibabel.load(tmp_path / "P1.nii.gz").dataobj)
    facts, issues = write(tmp_path, series, mask=mask, method=replace(read_method(tmp_path), models=MODELS))
    assert (facts, issues) == ({"segments": [1, 2, 4]}, [])
    assert wrong_pixels(tmp_path / "mask.dcm", series.files, facts["segments"]) == 0


def test_an_image_from_nifti_gets_no_dicom(tmp_path, series):
    assert write(tmp_path, series, kind="nifti") == ({}, [])
    assert not (tmp_path / "mask.dcm").exists()


def test_a_missing_source_file_is_a_warning_without_a_file(tmp_path, series):
    facts, (issue,) = write(tmp_path, series, files=series.files[1:])
    assert facts == {}
    assert issue.code == "no_dicom_segmentation"
    assert issue.message.startswith("series 2 (t1 km): there is no DICOM segmentation: ")
    assert not (tmp_path / "mask.dcm").exists()


def test_a_mask_without_tumour_is_a_warning_without_a_file(tmp_path, series):
    series.mask.voxels[:] = 0
    _, (issue,) = write(tmp_path, series)
    assert "the mask marks no tumour" in issue.message


def test_the_method_is_read_from_the_record_of_the_masks(tmp_path):
    models = [{"file": "results/model/fold-0.safetensors", "digest": "ab", "mark": "DEMONSTRATION"}]
    write_record(tmp_path, [], {"models": models, "task": TASK.to_json(), "convention": "brats2023"})
    method = read_method(tmp_path)
    assert (method.task, method.written) == (TASK, {0: 0, 1: 1, 2: 2, 4: 3})
    assert method.models.digests == {"fold-0.safetensors": "ab"}
    assert method.models.notices == ("DEMONSTRATION",)
