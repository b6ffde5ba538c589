"""The choice of a DICOM series for each channel."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.dicom import FLAIR, T1, T1CE, T2, write_series
from tumorseg.preparation.dicom_series import read_dicom_folder
from tumorseg.preparation.series_choice import choose_series
from tumorseg.preparation.series_table import series_table
from tumorseg.task import load_task

TASK = load_task()
SHAPE = (24, 20, 16)
NOISE = np.random.default_rng(0).integers(0, 1000, SHAPE)
AXIAL = np.diag([-8.0, 8.0, 8.0, 1.0])
ISOTROPIC = np.diag([-1.5, 1.5, 1.5, 1.0])


def write(folder, *headers, affine=AXIAL, volume=NOISE):
    for header in headers:
        write_series(folder / str(header.number), volume, affine, header)


def choose(folder, task=TASK):
    """Return the number of the chosen series for each channel, and the choice."""
    series = read_dicom_folder(folder).series
    choice = choose_series(series, task, "P1")
    return {channel: series[place].header.number for channel, place in choice.chosen.items()}, choice


def codes(issues):
    return [issue.code for issue in issues]


def test_the_four_usual_series_are_chosen(tmp_path):
    write(tmp_path, T1, T1CE, T2, FLAIR)
    chosen, choice = choose(tmp_path)
    assert chosen == {"t1": 1, "t1ce": 2, "t2": 3, "flair": 4}
    assert (choice.problems, choice.warnings) == ((), ())


def test_the_contrast_agent_in_the_header_makes_a_t1_a_t1ce(tmp_path):
    write(tmp_path, replace(T1, description="t1", contrast_agent="Gadovist"))
    assert choose(tmp_path)[0] == {"t1ce": 1}


@pytest.mark.parametrize("agent", ["NO", "none", "ohne", ""])
def test_an_agent_that_means_none_is_none(tmp_path, agent):
    write(tmp_path, replace(T1, contrast_agent=agent))
    assert choose(tmp_path)[0] == {"t1": 1}


def test_words_of_the_description_count_more_than_the_contrast_agent(tmp_path):
    write(tmp_path, replace(T1, description="T1 PRE", contrast_agent="Gadovist"))
    assert choose(tmp_path)[0] == {"t1": 1}


def test_a_t1_after_contrast_agent_that_does_not_say_so_is_left(tmp_path):
    times = {"AcquisitionTime": "130000"}
    write(tmp_path, T1CE, replace(T1, number=5, other=times))
    chosen, choice = choose(tmp_path)
    assert chosen == {"t1ce": 2}
    assert "made after contrast agent" in choice.decisions[1]


def test_timings_are_used_without_words_and_warned_about(tmp_path):
    headers = [replace(header, description="brain") for header in (T1, T2, FLAIR)]
    write(tmp_path, *headers)
    chosen, choice = choose(tmp_path)
    assert chosen == {"t1": 1, "t2": 3, "flair": 4}
    assert codes(choice.warnings) == ["chosen_by_timings"] * 3 + ["channel_not_found"]


def test_an_echo_planar_image_is_not_recognised_by_its_timings(tmp_path):
    write(tmp_path, replace(T2, description="brain", other={"ScanningSequence": ["EP", "SE"]}))
    assert choose(tmp_path)[0] == {}


def test_timings_that_contradict_the_words_are_refused(tmp_path):
    write(tmp_path, replace(T2, description="t1_ax"))
    chosen, choice = choose(tmp_path)
    assert chosen == {}
    assert "timings do not" in choice.decisions[0]


def test_an_isotropic_series_comes_before_an_axial_one(tmp_path):
    write(tmp_path, T1CE)
    write(tmp_path, replace(T1CE, number=7, description="t1_mprage_sag_post"), affine=ISOTROPIC)
    chosen, choice = choose(tmp_path)
    assert chosen["t1ce"] == 7
    assert choice.decisions[0] == "left: series 7 (t1_mprage_sag_post) is t1ce, its voxels are isotropic"


def test_an_axial_series_comes_before_a_coronal_one(tmp_path):
    coronal = np.eye(4)
    coronal[:3, :3] = np.diag([8.0, 8.0, 8.0]) @ np.array([[-1, 0, 0], [0, 0, 1], [0, -1, 0]])
    write(tmp_path, replace(T2, number=9))
    write(tmp_path, T2, affine=coronal)
    assert choose(tmp_path)[0] == {"t2": 9}


def test_of_two_t1ce_series_the_one_with_more_slices_is_used_with_a_warning(tmp_path):
    write(tmp_path, T1CE)
    write(tmp_path, replace(T1CE, number=8), volume=np.concatenate([NOISE, NOISE], axis=2))
    chosen, choice = choose(tmp_path)
    assert chosen == {"t1ce": 8}
    assert codes(choice.warnings)[0] == "several_images"
    assert "because it has more slices" in choice.warnings[0].message


def test_two_equal_t1ce_series_are_a_problem_with_the_remedy(tmp_path):
    write(tmp_path, T1CE, replace(T1CE, number=8))
    choice = choose(tmp_path)[1]
    assert codes(choice.problems) == ["equal_images"]
    assert "series 2 (t1_tse_ax_post_gd) and series 8" in choice.problems[0].message
    assert "sample sheet" in choice.problems[0].message


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (replace(T1, description="localizer"), "a localizer"),
        (replace(T1, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")), "a localizer"),
        (replace(T2, image_type=("DERIVED", "PRIMARY", "ADC")), "diffusion"),
        (replace(T1CE, image_type=("DERIVED", "SECONDARY", "SUBTRACTION")), "a subtraction"),
        (replace(T1CE, description="T1 MIP post"), "projection"),
        (replace(T1, body_part="KNEE"), "its body part is KNEE"),
        (replace(T1, modality="CT"), "its modality is CT"),
        (replace(T2, other={"DiffusionBValue": 1000.0}), "diffusion"),
    ],
)
def test_other_images_are_left(tmp_path, header, words):
    write(tmp_path, header)
    chosen, choice = choose(tmp_path)
    assert chosen == {}
    assert words in choice.decisions[0]


def test_an_original_series_comes_before_a_derived_one(tmp_path):
    derived = replace(T1CE, number=6, image_type=("DERIVED", "SECONDARY", "MPR"))
    write(tmp_path, derived, affine=ISOTROPIC)
    assert codes(choose(tmp_path)[1].warnings) == ["derived_image", "channel_not_found"]
    write(tmp_path, T1CE)
    assert choose(tmp_path)[0] == {"t1ce": 2}


def test_channels_of_another_task_have_their_own_order(tmp_path):
    write(tmp_path, T1, T1CE, T2, FLAIR)
    task = load_task("brats-meningioma-radiotherapy")
    chosen, choice = choose(tmp_path, task)
    assert chosen == {task.channel_names[0]: 2}
    assert choice.decisions[2] == "left: the task has no channel t2"


def test_the_table_has_a_row_for_each_series_and_no_patient(tmp_path):
    write(tmp_path, replace(T1, patient_id="SECRET-7"), replace(T2, patient_id="SECRET-7", description="localizer"))
    series = read_dicom_folder(tmp_path).series
    table = series_table(series, choose_series(series, TASK, "P1").decisions)
    assert list(table["decision"]) == ["chosen for t1", "left: a localizer"]
    assert "SECRET" not in table.to_string()
