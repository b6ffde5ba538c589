"""Channels in one 4D file, and optional channels."""

import nibabel
import numpy as np
import pytest

from tests.support.case_files import AFFINE, CASE, SHAPE, image, mask, path_of, write_valid_case
from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.image_checks import sampled_positions
from tumorseg.cohort.manifest import build_manifest
from tumorseg.io import volume
from tumorseg.preprocessing.normalisation import normalise_validated_case
from tumorseg.task import load_task

DECATHLON = load_task("decathlon-brain-tumour")
METASTASES = load_task("brats-metastases")
SETTINGS = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 2}
MET = "BraTS-MET-00001-000"


@pytest.fixture
def one_file(tmp_path):
    """Return a function that writes a case with all images in one 4D file and returns its `CaseFiles`."""

    def write(volumes) -> CaseFiles:
        for name, content in (("BRATS_001.nii.gz", volumes), ("mask.nii.gz", mask())):
            nibabel.save(nibabel.Nifti1Image(content, AFFINE), tmp_path / name)
        files = {**dict.fromkeys(DECATHLON.channel_names, ("BRATS_001.nii.gz",)), "seg": ("mask.nii.gz",)}
        return CaseFiles("BRATS_001", files, None)

    return write


def stack_images():
    return np.stack([image(name) for name in DECATHLON.channel_names], axis=-1)


def validate(root, files, task=DECATHLON):
    return validate_case(root, files, task=task, shape=None, labels="auto")[0]


def test_each_channel_is_one_volume_of_the_file(tmp_path, one_file):
    result = validate(tmp_path, one_file(stack_images()))
    assert result.problems == ()
    assert result.facts["shape"] == list(SHAPE)
    normalised = normalise_validated_case(tmp_path, result, SETTINGS, task=DECATHLON)
    for index, name in enumerate(DECATHLON.channel_names):
        single = image(name)
        assert np.corrcoef(normalised.image[index][single > 0], single[single > 0])[0, 1] > 0.99


def test_a_4d_file_is_read_once(tmp_path, one_file, monkeypatch):
    files, read = one_file(stack_images()), []
    monkeypatch.setattr(
        "tumorseg.cohort.case_reader.read_volume",
        lambda path, *rest: read.append(path.name) or volume.read_volume(path, *rest),
    )
    validate(tmp_path, files)
    assert sorted(read) == ["BRATS_001.nii.gz", "mask.nii.gz"]


def test_equal_volumes_of_a_4d_file_are_duplicates(tmp_path, one_file):
    volumes = stack_images()
    volumes[..., 2] = volumes[..., 0]
    assert [problem.code for problem in validate(tmp_path, one_file(volumes)).problems] == ["duplicate_modality"]


def test_volumes_that_differ_outside_the_sample_are_not_duplicates(tmp_path, one_file, monkeypatch):
    monkeypatch.setattr("tumorseg.cohort.image_checks.SAMPLED_VOXELS", 100)
    volumes = stack_images()
    volumes[..., 2] = volumes[..., 0]
    sampled = set(sampled_positions(SHAPE).tolist())
    position = next(index for index in np.flatnonzero(volumes[..., 0].ravel(order="F")) if index not in sampled)
    volumes[(*np.unravel_index(position, SHAPE, order="F"), 2)] += 1
    assert "duplicate_modality" not in {problem.code for problem in validate(tmp_path, one_file(volumes)).problems}


@pytest.mark.parametrize("count", [3, 5])
def test_a_wrong_number_of_volumes_is_reported_once(tmp_path, one_file, count):
    (problem,) = validate(tmp_path, one_file(np.stack([image("t1", seed) for seed in range(count)], axis=-1))).problems
    assert problem.code == "wrong_shape"
    assert (
        f"the file is 10x11x12x{count}, but the task expects a 4D file with one volume for each of its 4"
        in problem.message
    )


def test_a_corrupted_4d_file_is_reported_once(tmp_path, one_file):
    files = one_file(stack_images())
    content = (tmp_path / "BRATS_001.nii.gz").read_bytes()
    (tmp_path / "BRATS_001.nii.gz").write_bytes(content[:-2000])
    assert len(validate(tmp_path, files).problems) == 1


@pytest.fixture
def without_t2(tmp_path):
    write_valid_case(tmp_path, MET)
    path_of(tmp_path, "t2", MET).unlink()
    (files,) = discover_cases(tmp_path, METASTASES)
    return validate(tmp_path, files, METASTASES)


def test_an_optional_channel_may_be_missing(without_t2):
    assert without_t2.usable
    (warning,) = without_t2.warnings
    assert (warning.code, warning.file) == ("optional_channel_missing", MET)
    assert "T2 is missing: no file named" in warning.message


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        (f"{MET}-t2w.nii.xz", f"found {MET}-t2w.nii.xz: convert it to .nii.gz"),
        (f"{MET}-t2w.npy", f"found {MET}-t2w.npy: convert it to .nii.gz"),
        (f"{MET}-t2w.nii.gz.zip", f"extracting the archive {MET}-t2w.nii.gz.zip"),
        ("scans.zip", "extracting the archive scans.zip"),
    ],
)
def test_an_optional_image_in_another_form_is_not_left_out(tmp_path, name, hint):
    write_valid_case(tmp_path, MET)
    path_of(tmp_path, "t2", MET).rename(tmp_path / MET / name)
    (files,) = discover_cases(tmp_path, METASTASES)
    (problem,) = validate(tmp_path, files, METASTASES).problems
    assert problem.code == "missing_modality"
    assert hint in problem.message
    assert problem.message.endswith(f"If the case has no T2, move {name} elsewhere")


def test_an_archive_of_another_image_does_not_stand_for_a_missing_one(tmp_path):
    write_valid_case(tmp_path, MET)
    path_of(tmp_path, "t2", MET).rename(tmp_path / MET / f"{MET}-t1n.zip")
    (files,) = discover_cases(tmp_path, METASTASES)
    assert validate(tmp_path, files, METASTASES).usable


def test_the_manifest_lists_the_channels_that_exist(without_t2):
    assert build_manifest([without_t2], task=METASTASES)["channels"].tolist() == ["t1,t1ce,flair"]


def test_a_missing_optional_channel_is_0_in_the_normalised_image(tmp_path, without_t2):
    found = normalise_validated_case(tmp_path, without_t2, SETTINGS, task=METASTASES).image
    assert [bool(channel.any()) for channel in found] == [True, True, False, True]


def test_one_image_must_be_there_even_if_all_are_optional(tmp_path):
    write_valid_case(tmp_path, MET)
    for role in METASTASES.channel_names:
        path_of(tmp_path, role, MET).unlink()
    (files,) = discover_cases(tmp_path, METASTASES)
    found = validate(tmp_path, files, METASTASES.with_optional_channels())
    (problem,) = found.problems
    assert (problem.code, problem.message) == ("missing_modality", "all images are missing; add at least one")


def test_a_required_channel_must_not_be_missing(tmp_path):
    write_valid_case(tmp_path, CASE)
    path_of(tmp_path, "t1ce").unlink()
    (files,) = discover_cases(tmp_path, METASTASES)
    assert "missing_modality" in {problem.code for problem in validate(tmp_path, files, METASTASES).problems}
