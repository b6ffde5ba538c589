"""Segmentation of new patients on their own grids. A failed patient does not stop the others."""

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
from tumorseg.io.digests import file_digest_or_none
from tumorseg.io.nifti import write_nifti
from tumorseg.networks.factory import build
from tumorseg.networks.model import write_model
from tumorseg.preprocessing.normalisation import normalise_validated_case
from tumorseg.segmentation.models import read_models
from tumorseg.segmentation.results import read_records, segmentation_summary, write_record, write_volume_table


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return tiny_segmenter()


def write_reoriented(root, original_root, codes: str, suffix: str = ".nii.gz"):
    """Write the images of a valid case with other axes below `root`."""
    for role in SUFFIXES:
        original = nibabel.load(path_of(original_root, role))
        start = nibabel.orientations.io_orientation(original.affine)
        reoriented = original.as_reoriented(
            nibabel.orientations.ornt_transform(start, nibabel.orientations.axcodes2ornt(codes))
        )
        path = path_of(root, role)
        path.parent.mkdir(parents=True, exist_ok=True)
        if role != "seg":
            nibabel.save(reoriented, str(path).replace(".nii.gz", suffix))


def files_below(folder) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_patient_gets_a_mask_a_figure_and_volumes(tmp_path, segmenter):
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
    assert (tmp_path / f"out/viewer/{patient.case}.js").stat().st_size > 1000


def test_an_existing_mask_is_ignored(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data")
    path_of(root, "seg").write_bytes(b"no mask")
    (patient,) = segment(root, tmp_path / "out", segmenter)
    assert patient.segmented


@pytest.mark.parametrize(("codes", "suffix"), [("RAS", ".nii"), ("SAL", ".nii.gz"), ("PIR", ".nii.gz")])
def test_a_patient_with_other_axes_gets_the_same_mask_in_its_own_space(tmp_path, segmenter, codes, suffix):
    original_root = write_valid_case(tmp_path / "made")
    write_reoriented(tmp_path / "turned", original_root, codes, suffix)
    (patient,) = segment(original_root, tmp_path / "a", segmenter)
    (reoriented_patient,) = segment(tmp_path / "turned", tmp_path / "b", segmenter)
    expected, mask = (
        mask_of(tmp_path / "a", patient.case),
        mask_of(tmp_path / "b", reoriented_patient.case),
    )
    assert min(patient.volumes.values()) > 0  # so that the mask shows its orientation
    assert nibabel.aff2axcodes(mask.affine) == tuple(codes)
    back = nibabel.orientations.ornt_transform(
        nibabel.orientations.io_orientation(mask.affine),
        nibabel.orientations.io_orientation(expected.affine),
    )
    np.testing.assert_array_equal(np.asarray(mask.as_reoriented(back).dataobj), np.asarray(expected.dataobj))
    assert reoriented_patient.volumes == patient.volumes


@pytest.mark.parametrize(("convention", "enhancing"), [("brats2021", 4), ("brats2023", 3), ("mixed", 3), (None, 3)])
def test_enhancing_tumour_is_written_in_the_convention_of_the_training(tmp_path, segmenter, convention, enhancing):
    root = write_valid_case(tmp_path / "data")
    (patient,) = segment(root, tmp_path / "out", segmenter, replace(CARD, convention=convention))
    voxels = np.asarray(mask_of(tmp_path / "out", patient.case).dataobj)
    assert patient.volumes["ET"] == np.count_nonzero(voxels == enhancing) > 0


def test_an_invalid_case_is_reported_and_the_others_are_segmented(tmp_path, segmenter):
    root = write_valid_case(write_valid_case(tmp_path / "data", "P-1"), "P-2", seed=1)
    path = path_of(root, "t2", "P-1")
    path.write_bytes(path.read_bytes()[:-20])
    failed, segmented = segment(root, tmp_path / "out", segmenter)
    assert (failed.segmented, failed.problems, segmented.segmented) == (False, "truncated", True)
    assert "P-1-t2w.nii.gz: " in failed.detail
    assert files_below(tmp_path / "out") == ["P-2.js", "P-2.nii.gz", "P-2.png"]


@pytest.fixture
def make_fail(segmenter, monkeypatch):
    """A function that makes the segmenter raise an error for the patient P-1 after writing its mask."""
    original_segment = segmenter.segment

    def fail(error: Exception) -> None:
        def fails_once(folder, images, origin, convention, mark):
            segmentation = original_segment(folder, images, origin, convention, mark)
            if origin.case == "P-1":
                raise error
            return segmentation

        monkeypatch.setattr(segmenter, "segment", fails_once)

    return fail


def test_an_error_caused_by_the_images_is_recorded_and_the_others_are_segmented(tmp_path, segmenter, make_fail):
    root = write_valid_case(write_valid_case(tmp_path / "data", "P-1"), "P-2", seed=1)
    make_fail(ValueError("of these images"))
    failed, segmented = segment(root, tmp_path / "out", segmenter)
    assert (failed.problems, failed.detail, segmented.segmented) == ("failed", "ValueError: of these images", True)
    assert files_below(tmp_path / "out") == ["P-2.js", "P-2.nii.gz", "P-2.png"]


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
def test_an_error_caused_by_the_machine_fails_the_job(tmp_path, segmenter, make_fail, error):
    root = write_valid_case(tmp_path / "data", "P-1")
    make_fail(error)
    with pytest.raises(UserError, match=r"P-1"):
        segment(root, tmp_path / "out", segmenter)


def test_the_files_that_were_read_are_recorded(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data", "P-1")
    path_of(root, "t2", "P-1").write_bytes(b"broken")
    (patient,) = segment(root, tmp_path / "out", segmenter)
    recorded_files = {file["path"]: (file["bytes"], file["digest"]) for file in patient.files}
    paths = [path_of(root, role, "P-1") for role in ("t1", "t1ce", "t2", "flair")]
    assert recorded_files == {
        str(path.relative_to(root)): (path.stat().st_size, file_digest_or_none(path)) for path in paths
    }


def test_a_patient_with_another_spacing_has_a_warning(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data", "P-1")
    for role in SUFFIXES:
        nibabel.save(nibabel.Nifti1Image(image(role), AFFINE * [[2], [2], [2], [1]]), path_of(root, role, "P-1"))
    (patient,) = segment(root, tmp_path / "out", segmenter)
    assert patient.warning_codes == ["spacing_unlike_training"]
    voxels = np.asarray(mask_of(tmp_path / "out", "P-1").dataobj)
    assert patient.volumes["WT"] == 8 * np.count_nonzero(voxels)


def test_probabilities_are_written_if_configured(tmp_path):
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
    agreement = probabilities.argmax(axis=3) == np.asarray(mask.dataobj)  # 0, 1, 2, and 3 for enhancing tumour
    assert agreement.mean() > 0.999


def test_the_table_has_a_row_for_every_patient_of_all_folders(tmp_path, segmenter):
    root = write_valid_case(write_valid_case(tmp_path / "data", "P-2"), "P-1", seed=1)
    path_of(root, "t1", "P-2").unlink()
    segmented, failed = segment(root, tmp_path / "out", segmenter)
    for folder, patient in (("x", failed), ("y", segmented)):
        write_record(tmp_path / folder, [patient], {"models": []})
    patients, method = read_records([tmp_path / "x", tmp_path / "y"])
    assert (patients, method) == ([segmented, failed], {"models": []})
    write_volume_table(tmp_path / "volumes.tsv", patients, TASK.structures)
    table = pd.read_csv(tmp_path / "volumes.tsv", sep="\t", index_col="case")
    assert table["segmented"].tolist() == [True, False]
    assert table["problems"].fillna("").tolist() == ["", "missing_modality"]
    assert table.loc["P-1", "WT_mm3"] == segmented.volumes["WT"]
    assert segmentation_summary(patients, tmp_path / "volumes.tsv", method)[0].startswith(
        "NOT segmented: P-2: missing_modality: T1 is missing"
    )


def test_models_of_different_trainings_are_not_mixed(tmp_path):
    for name, margin in (("a", 1), ("b", 2)):
        card = replace(CARD, normalisation={**CARD.normalisation, "margin_voxels": margin})
        write_model(tmp_path / name, build(CARD.architecture), card)
    with pytest.raises(UserError, match=r"segment\.models: .*b and .*a were trained on cases"):
        read_models([tmp_path / "a", tmp_path / "b"], TASK)
    networks, cards = read_models([tmp_path / "a", tmp_path / "a"], TASK)
    assert (len(networks), cards[0].normalisation["margin_voxels"]) == (2, 1)


def test_a_case_gets_the_same_mask_as_a_patient_and_as_a_held_out_case(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data")
    (patient,) = segment(root, tmp_path / "new", segmenter)
    case = normalise_validated_case(root, validated(root), CARD.normalisation, task=TASK)
    segmenter.segment(tmp_path / "held out", case.image, case.origin, CARD.convention)
    name = f"{patient.case}.nii.gz"
    assert (tmp_path / "new" / name).read_bytes() == (tmp_path / "held out" / name).read_bytes()
    assert min(patient.volumes.values()) > 0


def test_a_background_other_than_0_only_gives_a_warning(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data")
    (expected,) = segment(root, tmp_path / "a", segmenter)
    for role in ("t1", "t1ce", "t2", "flair"):
        write_nifti(path_of(root, role), image(role) - np.int16(300), AFFINE)
    (patient,) = segment(root, tmp_path / "b", segmenter)
    assert (expected.warning_codes, patient.warning_codes) == ([], ["background_not_zero"])
    assert patient.volumes == expected.volumes
    assert min(expected.volumes.values()) > 0
