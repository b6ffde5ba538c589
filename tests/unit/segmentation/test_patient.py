"""New patients: found, checked, segmented on their own grid, whatever is the matter with the one before."""

from dataclasses import replace

import nibabel
import numpy as np
import pandas as pd
import pytest
import torch

from tests.support.builders import TASK
from tests.support.case_files import AFFINE, SUFFIXES, image, path_of, validated, write_valid_case
from tests.support.patients import CARD, CONFIGURATION, CPU, mask_of, segment, tiny_segmenter
from tumorseg.errors import UserError
from tumorseg.inference.segmenter import Segmenter
from tumorseg.io.changed_files import file_digest
from tumorseg.io.nifti import write_nifti
from tumorseg.networks.model import write_model
from tumorseg.networks.registry import build
from tumorseg.preprocessing.normalisation import normalise_validated_case
from tumorseg.segmentation.models import read_models
from tumorseg.segmentation.results import read_records, summary_lines, write_record, write_table


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return tiny_segmenter()


def turned(root, made, codes: str, suffix: str = ".nii.gz"):
    """The images of the sound case `made`, as a scanner of other axes would have written them, below `root`."""
    for role in SUFFIXES:
        whole = nibabel.load(path_of(made, role))
        start = nibabel.orientations.io_orientation(whole.affine)
        other = whole.as_reoriented(
            nibabel.orientations.ornt_transform(start, nibabel.orientations.axcodes2ornt(codes))
        )
        path = path_of(root, role)
        path.parent.mkdir(parents=True, exist_ok=True)
        if role != "seg":
            nibabel.save(other, str(path).replace(".nii.gz", suffix))


def test_a_patient_without_a_mask_gets_one_with_a_picture_and_volumes(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data")
    path_of(root, "seg").unlink()
    (patient,) = segment(root, tmp_path / "out", segmenter)
    mask = mask_of(tmp_path / "out", patient.case)
    original = nibabel.load(path_of(root, "t1"))
    assert (mask.shape, mask.get_data_dtype()) == (original.shape, np.uint8)
    np.testing.assert_array_equal(mask.affine, original.affine)
    voxels = np.asarray(mask.dataobj)
    assert set(np.unique(voxels)) <= {0, 1, 2, 3}
    assert patient.volumes["WT"] == np.count_nonzero(voxels) > 0
    assert patient.volumes["label_4"] == patient.volumes["ET"] == np.count_nonzero(voxels == 3)
    assert (tmp_path / f"out/{patient.case}.png").read_bytes().startswith(b"\x89PNG")


def test_a_mask_that_is_there_is_not_looked_at(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data")
    path_of(root, "seg").write_bytes(b"no mask")
    (patient,) = segment(root, tmp_path / "out", segmenter)
    assert patient.segmented


@pytest.mark.parametrize(("codes", "suffix"), [("RAS", ".nii"), ("SAL", ".nii.gz"), ("PIR", ".nii.gz")])
def test_a_patient_of_other_axes_gets_the_same_mask_in_its_own_space(tmp_path, segmenter, codes, suffix):
    made = write_valid_case(tmp_path / "made")
    turned(tmp_path / "turned", made, codes, suffix)
    (patient,) = segment(made, tmp_path / "a", segmenter)
    (other,) = segment(tmp_path / "turned", tmp_path / "b", segmenter)
    expected, found = mask_of(tmp_path / "a", patient.case), mask_of(tmp_path / "b", other.case)
    assert min(patient.volumes.values()) > 0  # a mask that shows which way round it is
    assert nibabel.aff2axcodes(found.affine) == tuple(codes)
    back = nibabel.orientations.ornt_transform(
        nibabel.orientations.io_orientation(found.affine), nibabel.orientations.io_orientation(expected.affine)
    )
    np.testing.assert_array_equal(np.asarray(found.as_reoriented(back).dataobj), np.asarray(expected.dataobj))
    assert other.volumes == patient.volumes


@pytest.mark.parametrize(("convention", "enhancing"), [("brats2021", 4), ("brats2023", 3), ("mixed", 3), (None, 3)])
def test_enhancing_tumour_is_written_as_the_model_was_taught(tmp_path, segmenter, convention, enhancing):
    root = write_valid_case(tmp_path / "data")
    (patient,) = segment(root, tmp_path / "out", segmenter, replace(CARD, convention=convention))
    voxels = np.asarray(mask_of(tmp_path / "out", patient.case).dataobj)
    assert patient.volumes["ET"] == np.count_nonzero(voxels == enhancing) > 0


def test_a_bad_case_is_told_and_the_others_are_segmented(tmp_path, segmenter):
    root = write_valid_case(write_valid_case(tmp_path / "data", "P-1"), "P-2", seed=1)
    path = path_of(root, "t2", "P-1")
    path.write_bytes(path.read_bytes()[:-20])
    bad, good = segment(root, tmp_path / "out", segmenter)
    assert (bad.segmented, bad.problems, good.segmented) == (False, "truncated", True)
    assert "P-1-t2w.nii.gz: " in bad.detail
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["P-2.nii.gz", "P-2.png"]


@pytest.fixture
def failing(segmenter, monkeypatch):
    """A function that makes the segmenter raise an error for the patient P-1, after its mask was written."""
    whole = segmenter.segment

    def fail(error: Exception) -> None:
        def fails_once(folder, images, origin, convention, mark):
            segmentation = whole(folder, images, origin, convention, mark)
            if origin.case == "P-1":
                raise error
            return segmentation

        monkeypatch.setattr(segmenter, "segment", fails_once)

    return fail


def test_an_error_that_the_images_cause_is_recorded_and_the_others_are_segmented(tmp_path, segmenter, failing):
    root = write_valid_case(write_valid_case(tmp_path / "data", "P-1"), "P-2", seed=1)
    failing(ValueError("of these images"))
    bad, good = segment(root, tmp_path / "out", segmenter)
    assert (bad.problems, bad.detail, good.segmented) == ("failed", "ValueError: of these images", True)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["P-2.nii.gz", "P-2.png"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(5, "Input/output error"),
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        UserError("out/P-1.nii.gz: cannot be written (No space left on device)"),
    ],
)
def test_an_error_that_the_machine_causes_fails_the_job(tmp_path, segmenter, failing, error):
    root = write_valid_case(tmp_path / "data", "P-1")
    failing(error)
    with pytest.raises(UserError, match=r"P-1"):
        segment(root, tmp_path / "out", segmenter)


def test_the_files_that_were_read_are_recorded(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data", "P-1")
    path_of(root, "t2", "P-1").write_bytes(b"broken")
    (patient,) = segment(root, tmp_path / "out", segmenter)
    recorded = {file["path"]: (file["bytes"], file["digest"]) for file in patient.files}
    paths = [path_of(root, role, "P-1") for role in ("t1", "t1ce", "t2", "flair")]
    assert recorded == {str(path.relative_to(root)): (path.stat().st_size, file_digest(path)) for path in paths}


def test_what_is_unusual_about_a_patient_stands_in_the_table(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data", "P-1")
    for role in SUFFIXES:
        nibabel.save(nibabel.Nifti1Image(image(role), AFFINE * [[2], [2], [2], [1]]), path_of(root, role, "P-1"))
    (patient,) = segment(root, tmp_path / "out", segmenter)
    assert patient.warning_codes == ["spacing_unlike_training"]
    voxels = np.asarray(mask_of(tmp_path / "out", "P-1").dataobj)
    assert patient.volumes["WT"] == 8 * np.count_nonzero(voxels)


def test_probabilities_are_written_beside_the_mask_when_asked(tmp_path):
    torch.manual_seed(3)
    with_probabilities = Segmenter(
        [build(CARD.architecture)], CPU, CONFIGURATION["prediction"] | {"probabilities": True}, task=TASK
    )
    root = write_valid_case(tmp_path / "data")
    (patient,) = segment(root, tmp_path / "out", with_probabilities)
    written = nibabel.load(tmp_path / f"out/{patient.case}-probabilities.nii.gz")
    mask = mask_of(tmp_path / "out", patient.case)
    probabilities = np.asarray(written.dataobj)
    assert (probabilities.shape, probabilities.dtype) == ((*mask.shape, 4), np.float32)
    np.testing.assert_array_equal(written.affine, mask.affine)
    np.testing.assert_allclose(probabilities.sum(axis=3), 1, atol=2e-4)
    agreeing = probabilities.argmax(axis=3) == np.asarray(mask.dataobj)  # 0, 1, 2, and 3 for enhancing tumour
    assert agreeing.mean() > 0.999


def test_the_table_has_a_row_for_every_patient_of_all_batches(tmp_path, segmenter):
    root = write_valid_case(write_valid_case(tmp_path / "data", "P-2"), "P-1", seed=1)
    path_of(root, "t1", "P-2").unlink()
    one, other = segment(root, tmp_path / "out", segmenter)
    for folder, patient in (("x", other), ("y", one)):
        write_record(tmp_path / folder, [patient], {"models": []})
    patients, how = read_records([tmp_path / "x", tmp_path / "y"])
    assert (patients, how) == ([one, other], {"models": []})
    write_table(tmp_path / "volumes.tsv", patients, TASK.structures)
    table = pd.read_csv(tmp_path / "volumes.tsv", sep="\t", index_col="case")
    assert table["segmented"].tolist() == [True, False]
    assert table["problems"].fillna("").tolist() == ["", "missing_modality"]
    assert table.loc["P-1", "WT_mm3"] == one.volumes["WT"]
    assert summary_lines(patients, tmp_path / "volumes.tsv", how)[0].startswith(
        "NOT segmented: P-2: missing_modality: T1 is missing"
    )


def test_models_of_different_trainings_are_not_mixed(tmp_path):
    for name, margin in (("a", 1), ("b", 2)):
        card = replace(CARD, normalisation={**CARD.normalisation, "margin": margin})
        write_model(tmp_path / name, build(CARD.architecture), card)
    with pytest.raises(UserError, match=r"segment\.models: .*b and .*a were trained on cases"):
        read_models([tmp_path / "a", tmp_path / "b"], TASK)
    networks, cards = read_models([tmp_path / "a", tmp_path / "a"], TASK)
    assert (len(networks), cards[0].normalisation["margin"]) == (2, 1)


def test_a_case_of_the_cohort_gets_the_mask_that_it_gets_there(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data")
    (patient,) = segment(root, tmp_path / "new", segmenter)
    case = normalise_validated_case(root, validated(root), CARD.normalisation, task=TASK)
    segmenter.segment(tmp_path / "held out", case.image, case.origin, CARD.convention)
    name = f"{patient.case}.nii.gz"
    assert (tmp_path / "new" / name).read_bytes() == (tmp_path / "held out" / name).read_bytes()
    assert min(patient.volumes.values()) > 0


def test_a_background_that_is_not_0_changes_nothing_but_a_warning(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data")
    (expected,) = segment(root, tmp_path / "a", segmenter)
    for role in ("t1", "t1ce", "t2", "flair"):
        write_nifti(path_of(root, role), image(role) - np.int16(300), AFFINE)
    (patient,) = segment(root, tmp_path / "b", segmenter)
    assert (expected.warning_codes, patient.warning_codes) == ([], ["background_not_zero"])
    assert patient.volumes == expected.volumes
    assert min(expected.volumes.values()) > 0
