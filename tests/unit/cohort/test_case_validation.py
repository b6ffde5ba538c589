import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.support.case_files import (
    AFFINE,
    CASE,
    SHAPE,
    check_case,
    image,
    mask,
    nifti_content,
    path_of,
    problems,
    validated,
    warnings,
    write_valid_case,
    write_volume,
)
from tumorseg.cohort.case_files import CaseFiles
from tumorseg.cohort.validation_result import read_validation_results, write_validation_results


@pytest.fixture
def root(tmp_path):
    return write_valid_case(tmp_path)


def relative_path(role: str) -> str:
    return path_of(Path(), role).as_posix()


def test_a_valid_case_is_usable_and_its_facts_are_found(root):
    found = validated(root)
    assert (found.case, found.usable) == (CASE, True)
    assert (found.problems, found.warnings) == ((), ())
    facts = found.facts
    assert (facts["shape"], facts["spacing"], facts["affine"]) == (list(SHAPE), [1, 1, 1], AFFINE.tolist())
    assert facts["labels"] == {"0": np.prod(SHAPE) - 20, "1": 8, "2": 8, "3": 4}
    assert (facts["convention"], facts["label_1"], facts["label_2"], facts["label_4"]) == ("brats2023", 8, 8, 4)
    assert facts["files"]["t1"]["path"] == relative_path("t1")


def test_a_validation_result_round_trips(root, tmp_path):
    path_of(root, "t1").unlink()
    write_validation_results(tmp_path / "v.json", [validated(root)])
    assert read_validation_results(tmp_path / "v.json") == [validated(root)]
    assert str(tmp_path) not in (tmp_path / "v.json").read_text()


def test_missing_files_are_named(root):
    path_of(root, "t1ce").unlink()
    path_of(root, "seg").unlink()
    found = validated(root).problems
    assert [issue.code for issue in found] == ["missing_modality", "missing_mask"]
    assert "T1CE" in found[0].message


def test_a_folder_that_cannot_be_listed_is_unreadable(tmp_path):
    found = check_case(tmp_path, CaseFiles("gone", {}, "gone"), shape=None, labels="auto")
    assert [issue.code for issue in found.problems] == ["unreadable"]


def test_a_packed_case_is_reported(tmp_path):
    (tmp_path / f"{CASE}.tar.gz").touch()
    (issue,) = check_case(tmp_path, CaseFiles(CASE, {}, CASE), shape=None, labels="auto").problems
    assert (issue.code, f"still packed in {CASE}.tar.gz" in issue.message) == ("unreadable", True)


def test_an_archive_in_place_of_an_image_is_reported(root):
    path = path_of(root, "t1ce")
    with zipfile.ZipFile(path.parent / f"{path.name}.zip", "w") as archive:
        archive.write(path, path.name)
    path.unlink()
    (issue,) = validated(root).problems
    assert (issue.code, f"{path.name}.zip" in issue.message) == ("missing_modality", True)
    (path.parent / f"{path.name}.zip").rename(path)
    (issue,) = validated(root).problems
    assert (issue.code, "zip archive" in issue.message) == ("not_nifti", True)


def test_a_problem_names_the_file(root):
    path = path_of(root, "flair")
    path.write_bytes(path.read_bytes()[:-20])
    assert problems(root) == [("truncated", relative_path("flair"))]


def test_all_problems_of_a_case_are_reported(root):
    path_of(root, "t1").write_bytes(b"")
    write_volume(root, "t1ce", np.full(SHAPE, 7, np.int16))
    path_of(root, "t2").unlink()
    write_volume(root, "seg", mask(enhancing=9))
    assert {code for code, _ in problems(root)} == {"empty_file", "constant_image", "missing_modality", "bad_label"}


def test_a_shape_other_than_the_configured_one_is_wrong(root):
    assert problems(root, shape=list(SHAPE)) == []
    assert {code for code, _ in problems(root, shape=[240, 240, 155])} == {"wrong_shape"}


@pytest.mark.parametrize("shape", [(10, 11), (*SHAPE, 2)])
def test_a_volume_that_is_not_3d_is_wrong(root, shape):
    write_volume(root, "t2", np.ones(shape, np.int16))
    assert problems(root) == [("wrong_shape", relative_path("t2"))]


def test_the_modality_that_differs_in_shape_is_named(root):
    write_volume(root, "t1", image(shape=(10, 11, 13)))
    assert problems(root) == [("shape_mismatch", relative_path("t1"))]


def test_the_modality_that_differs_in_affine_is_named(root):
    write_volume(root, "t1", image(), np.diag([1.0, 1, 1, 1]))
    assert problems(root) == [("affine_mismatch", relative_path("t1"))]


def test_minus_zero_and_rounding_in_affines_do_not_matter(root):
    affine = AFFINE + np.where(AFFINE == 0, -0.0, 1e-5)
    affine[3] = AFFINE[3]
    write_volume(root, "t1", image(), affine)
    assert problems(root) == []


def test_non_finite_values_drop_the_case(root):
    for value in (np.nan, np.inf):
        volume = image().astype(np.float32)
        volume[5, 5, 5] = value
        write_volume(root, "t1", volume)
        assert problems(root) == [("not_finite", relative_path("t1"))]


def test_a_constant_image_drops_the_case(root):
    write_volume(root, "t2", np.zeros(SHAPE, np.int16))
    assert problems(root) == [("constant_image", relative_path("t2"))]


def test_equal_plain_and_compressed_files_count_once(root):
    path_of(root, "t1").with_suffix("").write_bytes(nifti_content(image("t1")))
    assert problems(root) == []
    assert warnings(root) == ["duplicate_file"]


def test_different_plain_and_compressed_files_are_a_problem(root):
    path_of(root, "t1").with_suffix("").write_bytes(nifti_content(image("t1", seed=5)))
    assert problems(root) == [("duplicate_modality", relative_path("t1"))]


@pytest.mark.parametrize("values", [(3, 4), (7, 7), (255, 1)])
def test_labels_of_no_single_convention_drop_the_case(root, values):
    volume = mask()
    volume[5, 5, 5], volume[6, 6, 6] = values
    write_volume(root, "seg", volume)
    assert problems(root) == [("bad_label", relative_path("seg"))]


@pytest.mark.parametrize("value", [0.5, -1, 1e30])
def test_a_floating_point_mask_must_have_integer_labels(root, value):
    volume = mask().astype(np.float32)
    write_volume(root, "seg", volume)
    assert validated(root).facts["label_4"] == 4
    volume[5, 5, 5] = value
    write_volume(root, "seg", volume)
    assert problems(root) == [("bad_label", relative_path("seg"))]


def test_a_mask_with_nan_is_not_finite(root):
    volume = mask().astype(np.float32)
    volume[0, 0, 0] = np.nan
    write_volume(root, "seg", volume)
    assert problems(root) == [("not_finite", relative_path("seg"))]


@pytest.mark.parametrize(("labels", "enhancing"), [("brats2023", 4), ("brats2021", 3)])
def test_only_the_configured_convention_is_allowed(root, labels, enhancing):
    write_volume(root, "seg", mask(enhancing))
    assert problems(root, labels=labels) == [("bad_label", relative_path("seg"))]
    assert problems(root, labels="mixed") == problems(root, labels="auto") == []


def test_a_mask_on_another_grid_drops_the_case(root):
    write_volume(root, "seg", mask(shape=(10, 11, 11)))
    assert problems(root) == [("mask_mismatch", relative_path("seg"))]
    write_volume(root, "seg", mask(), np.eye(4))
    assert problems(root) == [("mask_mismatch", relative_path("seg"))]


def test_a_mask_that_is_empty_or_outside_the_brain_drops_the_case(root):
    write_volume(root, "seg", np.zeros(SHAPE, np.uint8))
    assert problems(root) == [("mask_mismatch", relative_path("seg"))]
    outside = np.zeros(SHAPE, np.uint8)
    outside[0, 0, 0] = 3
    write_volume(root, "seg", outside)
    assert problems(root) == [("mask_mismatch", relative_path("seg"))]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("factor", "code"), [(1e200, "not_finite"), (-1e36, "not_finite"), (1e-300, "constant_image"), (1e-30, None)]
)
def test_values_must_be_finite_and_different_in_float32(root, factor, code):
    write_volume(root, "t2", image("t2").astype(np.float64) * factor)
    assert problems(root) == ([(code, relative_path("t2"))] if code else [])


def test_a_mask_at_another_position_drops_the_case(root):
    for role in ("t1", "t1ce", "t2", "flair"):
        write_volume(root, role, image(role), np.eye(4))  # x runs from 0 upwards, in the mask from 0 downwards
    assert problems(root) == [("mask_mismatch", relative_path("seg"))]


def test_the_layout_of_the_public_mirror_is_read(root):
    file = path_of(root, "t1ce")
    content = gzip.decompress(file.read_bytes())
    file.unlink()
    folder = file.with_suffix("")
    folder.mkdir()
    (folder / "00000057_brain_t1ce.nii").write_bytes(content)
    (folder / "._00000057_brain_t1ce.nii").write_bytes(b"stray")
    assert validated(root).usable
    assert validated(root).facts["files"]["t1ce"]["path"] == f"{CASE}/{folder.name}/00000057_brain_t1ce.nii"


def test_equal_masks_have_equal_digests_however_they_are_written(root):
    before = validated(root).facts["tumour_crc32"]
    write_volume(root, "seg", mask(enhancing=4).astype(np.float32))
    assert validated(root).facts["tumour_crc32"] == before
    write_volume(root, "seg", mask(enhancing=2))
    assert validated(root).facts["tumour_crc32"] != before
