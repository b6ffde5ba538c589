"""Words that belong to the patient or the visit, not to an image, in the names of files."""

import numpy as np
import pytest

from tests.unit.preparation.test_image_choice import choose, write
from tumorseg.preparation.mask_files import mask_files
from tumorseg.preparation.patient_source import PatientSource
from tumorseg.preparation.shared_words import split_names
from tumorseg.task import load_task

TASK = load_task()
CUBES, THICK = np.diag([-8.0, 8.0, 8.0, 1.0]) / 8, np.diag([-0.5, 0.5, 5.0, 1.0])
CHANNELS = ("t1", "t1ce", "t2", "flair")


def codes(choice):
    return [warning.code for warning in choice.warnings]


@pytest.mark.parametrize("prefix", ["P1_post", "P1_pre", "tumor_01", "sub-01_ses-post", "P1_post_gd", "P1-pre-op"])
def test_words_that_all_files_share_do_not_name_an_image(tmp_path, prefix):
    names = {channel: f"{prefix}_{channel}.nii.gz" for channel in CHANNELS}
    write(tmp_path, *names.values(), affine=CUBES)
    write(tmp_path, names["t1ce"], affine=THICK)
    chosen, choice = choose(tmp_path)
    assert (chosen, choice.warnings) == (names, ())


def test_the_name_of_the_patient_does_not_name_an_image(tmp_path):
    write(tmp_path, "P1_post_t1.nii.gz", "P1_post_t1ce.nii.gz", "other_flair.nii.gz")
    chosen, _ = choose(tmp_path, case="P1_post")
    assert chosen == {"t1": "P1_post_t1.nii.gz", "t1ce": "P1_post_t1ce.nii.gz", "flair": "other_flair.nii.gz"}


def test_the_ending_decides_if_words_make_a_second_t1ce(tmp_path):
    write(tmp_path, "P1_post_t1.nii.gz", affine=CUBES)
    write(tmp_path, "P1_post_t1ce.nii.gz", affine=THICK)
    write(tmp_path, "t2.nii.gz", "flair.nii.gz")
    chosen, choice = choose(tmp_path)
    assert (chosen["t1"], chosen["t1ce"]) == ("P1_post_t1.nii.gz", "P1_post_t1ce.nii.gz")
    assert codes(choice) == ["doubtful_contrast_agent"]
    assert "P1_post_t1.nii.gz" in choice.warnings[0].message


def test_words_that_differ_between_files_still_count(tmp_path):
    write(tmp_path, "P1_pre_t1.nii.gz", "P1_post_t1.nii.gz", "P1_t2.nii.gz", "P1_flair.nii.gz")
    chosen, choice = choose(tmp_path)
    assert (chosen["t1"], chosen["t1ce"]) == ("P1_pre_t1.nii.gz", "P1_post_t1.nii.gz")
    assert choice.warnings == ()


def test_a_shared_word_that_may_mean_contrast_agent_is_a_warning(tmp_path):
    write(tmp_path, "post_t1.nii.gz", "post_flair.nii.gz")
    chosen, choice = choose(tmp_path)
    assert chosen == {"t1": "post_t1.nii.gz", "flair": "post_flair.nii.gz"}
    assert "doubtful_contrast_agent" in codes(choice)


def test_two_t1ce_without_a_t1_are_a_warning(tmp_path):
    write(tmp_path, "T1_post_3d.nii.gz", affine=CUBES)
    write(tmp_path, "T1_gd_ax.nii.gz", "t2.nii.gz", "flair.nii.gz")
    assert "doubtful_contrast_agent" in codes(choose(tmp_path)[1])


@pytest.mark.parametrize("name", ["T1_post.nii.gz", "tumor_01/t1ce.nii.gz", "t1c.nii.gz"])
def test_a_single_file_is_read_completely(tmp_path, name):
    write(tmp_path, name)
    assert choose(tmp_path)[0] == {"t1ce": name}


def test_a_folder_that_all_series_share_does_not_name_an_image(tmp_path):
    write(tmp_path, "P1_post_T1/i.nii.gz", "P1_post_T1GD/i.nii.gz", "P1_post_FLAIR/i.nii.gz")
    chosen, _ = choose(tmp_path)
    assert (chosen["t1"], chosen["t1ce"]) == ("P1_post_T1/i.nii.gz", "P1_post_T1GD/i.nii.gz")


@pytest.mark.parametrize("names", [("mask_t1.nii.gz", "mask_t2.nii.gz"), ("spine_t1.nii.gz", "spine_t2.nii.gz")])
def test_shared_words_for_something_else_than_an_image_of_the_brain_count(tmp_path, names):
    write(tmp_path, *names)
    assert choose(tmp_path)[0] == {}


@pytest.mark.parametrize(
    ("names", "rests"),
    [
        (["T1_post", "T1_pre"], ["T1_post", "T1_pre"]),
        (["P1_mp_rage_pre", "P1_mp_rage_post"], ["_mp_rage_pre", "_mp_rage_post"]),
        (["P1 +C T1", "P1 T1"], [" +C T1", " T1"]),
        (["P1_post", "P1_post_t1"], ["P1_post", "_t1"]),
        (["t1", "t1"], ["t1", "t1"]),
    ],
)
def test_a_contrast_is_never_a_shared_word(names, rests):
    assert [name.rest for name in split_names(names)] == rests


def test_the_mask_of_a_patient_named_tumour_is_found(tmp_path):
    files = ("tumor_01_t1.nii.gz", "tumor_01_t1ce.nii.gz", "tumor_01_mask.nii.gz")
    source = PatientSource("tumor_01", "nifti", "", files)
    assert mask_files(tmp_path, source, TASK) == ("tumor_01_mask.nii.gz",)
