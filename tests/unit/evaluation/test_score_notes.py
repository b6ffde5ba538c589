"""Notes on masks that were changed before scoring, and hints on their orientation."""

import nibabel
import numpy as np
import pytest

from tests.support.case_files import AFFINE, mask, write_valid_case
from tests.support.score_folders import Folders
from tumorseg.io.nifti import write_nifti

CASE = "BraTS-GLI-00001-000"


@pytest.fixture
def folders(tmp_path):
    write_valid_case(tmp_path / "references", CASE)
    return Folders(tmp_path)


def box_affine(start):
    """Return the affine of a box that starts at a voxel of the reference."""
    affine = AFFINE.copy()
    affine[:3, 3] = AFFINE[:3, :3] @ start
    return affine


def only_note(folders, capsys, key: str = "notes") -> str:
    """Return the only note on the only case, after checking that its scores are perfect."""
    table, summary = folders.scored()
    assert (table["dice"] == 1).all()
    assert (table["hd95"] == 0).all()
    assert summary["unusable"] == []
    (note,) = summary[key]
    assert note["case"] == CASE
    assert f"{note['file']}: {note['note']}" in capsys.readouterr().err
    return note["note"]


def test_values_that_are_almost_labels_are_rounded(folders, capsys):
    folders.predict(f"{CASE}.nii.gz", mask() * 1.0039 + 0.002)
    assert "were rounded to the nearest label" in only_note(folders, capsys)


def test_a_reference_is_rounded_too(folders, capsys):
    path = folders.references / CASE / f"{CASE}-seg.nii.gz"
    write_nifti(path, mask() * np.float32(0.9999), AFFINE)
    folders.predict(f"{CASE}.nii.gz", mask())
    assert "were rounded to the nearest label" in only_note(folders, capsys, "reference_notes")


def test_a_cropped_prediction_is_padded_to_its_reference(folders, capsys):
    folders.predict(f"{CASE}.nii.gz", mask()[3:8, 2:9, 1:8], box_affine((3, 2, 1)))
    assert "covers 5x7x7 voxels from voxel (3, 2, 1) of its reference's 10x11x12" in only_note(folders, capsys)


def test_a_padded_prediction_is_cropped_to_its_reference(folders, capsys):
    folders.predict(f"{CASE}.nii.gz", np.pad(mask(), 3), box_affine((-3, -3, -3)))
    assert "covers 16x17x18 voxels from voxel (-3, -3, -3)" in only_note(folders, capsys)


def test_a_prediction_on_other_axes_is_reoriented_to_its_reference(folders, capsys):
    spacing = np.diag([-1.0, -2.0, 3.0, 1])
    write_nifti(folders.references / CASE / f"{CASE}-seg.nii.gz", mask(), spacing)
    folders.predict(f"{CASE}.nii.gz", mask().transpose(2, 0, 1), spacing[:, [2, 0, 1, 3]])
    assert "have another order or direction than its reference's" in only_note(folders, capsys)


def test_a_prediction_with_tumour_beyond_its_reference_is_unusable(folders):
    volume = np.pad(mask(), 1)
    volume[0, 0, 0] = 1
    folders.predict(f"{CASE}.nii.gz", volume, box_affine((-1, -1, -1)))
    (found,) = folders.scored()[1]["unusable"]
    assert "marks tumour outside the grid of its reference" in found["reason"]


def test_a_hint_changes_no_score(folders):
    folders.predict(f"{CASE}.nii.gz", np.ascontiguousarray(mask()[:, ::-1]))
    table, summary = folders.scored()
    assert (table.loc[(CASE, "WT"), "dice"], [hint["case"] for hint in summary["hints"]]) == (0.3, [CASE])
    assert "flipped front-back" in summary["hints"][0]["hint"]


@pytest.mark.parametrize("role", ["prediction", "reference"])
def test_contradicting_orientations_in_a_header_are_reported(folders, capsys, role):
    path = folders.predict(f"{CASE}.nii.gz", mask())
    if role == "reference":
        path = folders.references / CASE / f"{CASE}-seg.nii.gz"
    image = nibabel.Nifti1Image(mask(), AFFINE)
    image.set_sform(AFFINE, 1)
    image.set_qform(box_affine((0, 3, 0)), 1)
    nibabel.save(image, path)
    key = "notes" if role == "prediction" else "reference_notes"
    assert "sform and qform, place it up to 3 mm apart" in only_note(folders, capsys, key)


@pytest.mark.parametrize("role", ["prediction", "reference"])
def test_a_mask_without_orientation_is_scored_voxel_for_voxel_with_a_warning(folders, role):
    path = folders.predict(f"{CASE}.nii.gz", mask())
    if role == "reference":
        path = folders.references / CASE / f"{CASE}-seg.nii.gz"
    nibabel.save(nibabel.Nifti1Image(mask(), None), path)
    table, summary = folders.scored()
    assert (table["dice"] == 1).all()
    assert summary["unusable"] == []
    notes = [note["note"] for note in summary["notes"]]
    assert "a header gives no orientation; its voxels are assumed to match those of its reference by index" in notes[-1]
