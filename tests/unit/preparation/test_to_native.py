"""The step to_native: labels, volumes and headers of the masks on native grids, with registrations of known shifts."""

import nibabel
import numpy as np
import pytest

from tests.support.builders import TASK
from tumorseg.io.files import CorruptedFileError
from tumorseg.io.nifti import write_nifti
from tumorseg.preparation.issue_codes import PREPARATION_WARNINGS
from tumorseg.preparation.prepared_files import PatientFiles
from tumorseg.preparation.step_record import StepRecord, write_step_record
from tumorseg.preparation.to_native import write_native_masks
from tumorseg.segmentation.results import write_record

SIDE = 40
STARTER = "STARTER MODEL: check every mask"
THICK = np.diag([1.0, 1.0, 5.0, 1.0])


def to_native(folder, mask, native=THICK, *, mark="", probabilities=None):
    """Write a mask of the atlas on the grid of the only image, T1CE, and return the record and the mask on that grid.

    mask: of 40 x 40 x 40 mm; native: affine of the image, which has 40 mm of it along each axis.
    """
    shape = tuple(round(SIDE / edge) for edge in np.diag(native)[:3])
    write_nifti(folder / "images/t1ce.nii.gz", np.ones(shape, np.int16), native)
    channels = {"t1ce": {"kind": "nifti", "label": "t1ce", "files": []}}
    write_step_record(folder / "images/record.json", StepRecord("P1", "convert", facts={"channels": channels}))
    identity = {"reference": "t1ce", "matrix": np.eye(4).tolist()}
    write_step_record(folder / "atlas/record.json", StepRecord("P1", "to_atlas", facts=identity))
    write_nifti(folder / "masks/P1.nii.gz", mask, np.eye(4), description=mark)
    if probabilities is not None:
        write_nifti(folder / "masks/P1-probabilities.nii.gz", probabilities, np.eye(4), description=mark)
    write_record(folder / "masks", [], {"models": [], "task": TASK.to_json(), "convention": "brats2023"})
    coregistered = (StepRecord("P1", "coregister", facts={"channel": "t1ce", **identity}),)
    patient = PatientFiles("P1", folder / "images", coregistered)
    record = write_native_masks(
        patient, folder / "atlas", folder / "masks", folder / "native", sequences=["reference"], root=folder
    )
    return record, nibabel.load(folder / "native/P1-t1ce-mask.nii.gz")


def atlas_mask(**labels):
    """Return a mask in which each label, such as `value_3`, marks the voxels of a slice."""
    voxels = np.zeros((SIDE, SIDE, SIDE), np.uint8)
    for label, where in labels.items():
        voxels[where] = int(label.removeprefix("value_"))
    return voxels


def rim_mask():
    """Return an enhancing rim of 1.5 mm around a necrosis, within an oedema."""
    distance = np.linalg.norm(np.indices((SIDE, SIDE, SIDE)) - 20, axis=0)
    return np.select([distance < 12, distance < 13.5, distance < 17.5], [1, 3, 2], 0).astype(np.uint8)


def test_the_facts_are_the_volumes_on_the_grid_of_the_image_and_on_the_atlas(tmp_path):
    record, native = to_native(tmp_path, atlas_mask(value_2=np.s_[10:20, 10:20, 8:28]))
    assert record.facts["masks"] == {"t1ce": {"2": 2.0}}
    assert record.facts["atlas_ml"] == {"2": 2.0}
    assert np.count_nonzero(np.asarray(native.dataobj) == 2) == 400
    assert record.warnings == ()


def test_a_volume_that_changes_much_is_a_warning_with_both_volumes(tmp_path):
    record, native = to_native(tmp_path, rim_mask())
    before = np.count_nonzero(rim_mask() == 3) / 1000
    after = np.count_nonzero(np.asarray(native.dataobj) == 3) * 5 / 1000
    assert after < 0.9 * before
    (warning,) = record.warnings
    assert (warning.code, warning.file) == ("mask_volume_changed", "P1")
    assert warning.message.startswith("on T1CE, volumes differ by more than 10 %: value 1 ")
    assert f"value 3 (enhancing tumour) from {before:.2f} to {after:.2f} ml; look at the mask" in warning.message


def test_a_thin_label_is_kept_with_its_volume_and_a_warning(tmp_path):
    record, native = to_native(
        tmp_path, atlas_mask(value_2=np.s_[10:30, 10:30, 10:30], value_3=np.s_[12:27, 15:17, 20])
    )
    assert np.count_nonzero(np.asarray(native.dataobj) == 3) == 6
    assert record.facts["masks"]["t1ce"]["3"] == 0.03
    assert [warning.code for warning in record.warnings] == ["label_voxels_kept"]
    assert "value 3 (enhancing tumour)" in record.warnings[0].message


@pytest.mark.parametrize(
    ("where", "reason"),
    [(np.s_[20, 20, 20:22], "2 mm³ is less than a voxel of T1CE"), (np.s_[20:25, 20:25, 20:25], "lies outside T1CE")],
)
def test_a_lost_label_is_a_warning(tmp_path, where, reason):
    native = THICK.copy()
    native[:3, 3] = 300 if "outside" in reason else 0
    record, found = to_native(tmp_path, atlas_mask(value_1=where), native)
    assert not np.asarray(found.dataobj).any()
    assert record.facts["masks"] == {"t1ce": {"1": 0.0}}
    (warning,) = [warning for warning in record.warnings if warning.code == "label_lost"]
    assert reason in warning.message


def test_the_codes_of_all_warnings_have_a_description(tmp_path):
    record, _ = to_native(tmp_path, rim_mask())
    assert {warning.code for warning in record.warnings} <= set(PREPARATION_WARNINGS)


def test_a_value_that_the_segmentation_cannot_have_written_is_refused(tmp_path):
    with pytest.raises(CorruptedFileError, match=r"P1\.nii\.gz: the value 7 is not a label; delete .*masks and run"):
        to_native(tmp_path, atlas_mask(value_7=np.s_[10:20, 10:20, 10:20]))


@pytest.mark.parametrize(("mark", "expected"), [(STARTER, STARTER), ("", "Research use only")])
def test_the_header_of_each_file_has_the_mark_of_the_mask_on_the_atlas(tmp_path, mark, expected):
    probabilities = np.full((SIDE, SIDE, SIDE, 4), 0.25, np.float32)
    to_native(tmp_path, rim_mask(), mark=mark, probabilities=probabilities)
    for name in ("P1-t1ce-mask", "P1-t1ce-probabilities"):
        assert nibabel.load(tmp_path / f"native/{name}.nii.gz").header["descrip"].item().decode() == expected
