"""The native mask of a patient as a DICOM segmentation, from the records of the earlier steps."""

import pytest

from tests.support.builders import TASK
from tests.support.dicom_segmentations import MODELS, marked_series, wrong_pixels
from tumorseg.preparation.dicom_masks import SegmentationMethod, read_method, write_dicom_mask
from tumorseg.preparation.step_record import StepRecord
from tumorseg.segmentation.results import write_record
from tumorseg.task.conventions import from_canonical


@pytest.fixture
def series(tmp_path):
    return marked_series(tmp_path)


def write(folder, series, *, convention=None, kind="dicom", files=None):
    names = [str(path.relative_to(folder)) for path in files or series.files]
    facts = {"channels": {"t1ce": {"kind": kind, "label": "series 2 (t1 km)", "files": names}}}
    return write_dicom_mask(
        folder / "mask.dcm",
        from_canonical(series.mask.voxels, TASK, convention),
        series.mask.affine,
        conversion=StepRecord("P1", "convert", facts=facts),
        channel="t1ce",
        root=folder,
        method=SegmentationMethod(TASK, convention, MODELS),
    )


@pytest.mark.parametrize("convention", [None, "brats2023"])
def test_the_segments_are_the_canonical_labels_whatever_the_convention_of_the_mask(tmp_path, series, convention):
    facts, issues = write(tmp_path, series, convention=convention)
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
    assert (method.task, method.convention) == (TASK, "brats2023")
    assert method.models.digests == {"fold-0.safetensors": "ab"}
    assert method.models.notices == ("DEMONSTRATION",)
