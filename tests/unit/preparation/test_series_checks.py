"""Bad DICOM folders: each has one sentence."""

from dataclasses import replace

import numpy as np

from tests.support.dicom import FLAIR, T1, T1CE, T2
from tests.unit.preparation.test_series_choice import NOISE, choose, codes, write


def test_a_localizer_alone(tmp_path):
    write(tmp_path, replace(T1, description="localizer"), replace(T1, number=2, description="scout"))
    assert codes(choose(tmp_path)[1].problems) == ["localizer_only"]


def test_a_localizer_of_a_few_slices(tmp_path):
    write(tmp_path, T1, volume=NOISE[:, :, :3])
    assert codes(choose(tmp_path)[1].problems) == ["localizer_only"]


def test_another_body_part(tmp_path):
    write(tmp_path, *(replace(header, body_part="KNEE") for header in (T1, T2)))
    (problem,) = choose(tmp_path)[1].problems
    assert problem.code == "other_body_part"
    assert "KNEE" in problem.message


def test_computed_tomography(tmp_path):
    write(tmp_path, replace(T1, modality="CT"))
    (problem,) = choose(tmp_path)[1].problems
    assert (problem.code, "not MR" in problem.message) == ("other_modality", True)


def test_half_a_series(tmp_path):
    write(tmp_path, T1, T2)
    for path in sorted((tmp_path / "3").iterdir())[5:9]:
        path.unlink()
    (problem,) = choose(tmp_path)[1].problems
    assert problem.code == "missing_slices"
    assert "series 3 (t2_tse_ax)" in problem.message


def test_the_first_half_of_a_series_is_missing(tmp_path):
    write(tmp_path, T1, T2)
    for path in sorted((tmp_path / "3").iterdir())[:6]:
        path.unlink()
    assert codes(choose(tmp_path)[1].problems) == ["missing_slices"]


def test_the_last_half_of_a_series_is_missing(tmp_path):
    write(tmp_path, T1, T2)
    for path in sorted((tmp_path / "3").iterdir())[8:]:
        path.unlink()
    (problem,) = choose(tmp_path)[1].problems
    assert problem.code == "missing_slices"
    assert "series 3 (t2_tse_ax): its 8 slices cover 64 mm, but those of another series 128 mm" in problem.message


def test_missing_numbers_of_a_long_series_are_a_warning(tmp_path):
    write(tmp_path, T1, volume=np.concatenate([NOISE, NOISE], axis=2))
    min((tmp_path / "1").iterdir()).unlink()
    choice = choose(tmp_path)[1]
    assert (choice.problems, codes(choice.warnings)) == ((), ["missing_instances", "channel_not_found"])


def test_a_complete_series_is_used_in_place_of_an_incomplete_one(tmp_path):
    write(tmp_path, T2, replace(T2, number=8))
    sorted((tmp_path / "3").iterdir())[5].unlink()
    assert choose(tmp_path)[0] == {"t2": 8}


def test_a_cut_file(tmp_path):
    write(tmp_path, T1)
    path = sorted((tmp_path / "1").iterdir())[5]
    path.write_bytes(path.read_bytes()[:-100])
    assert codes(choose(tmp_path)[1].problems) == ["corrupted_dicom"]


def test_several_patients(tmp_path):
    write(tmp_path, T1, replace(T2, patient_id="TEST-2"))
    (problem, *_) = choose(tmp_path)[1].problems
    assert problem.code == "several_patients"
    assert "TEST" not in problem.message


def test_several_dates(tmp_path):
    write(tmp_path, T1, replace(T2, study_date="20210304"))
    assert codes(choose(tmp_path)[1].problems) == ["several_dates"]


def test_a_study_date_that_is_no_date_is_a_warning(tmp_path):
    write(tmp_path, *(replace(header, study_date="00000000") for header in (T1, T1CE, T2, FLAIR)))
    choice = choose(tmp_path)[1]
    assert (choice.problems, codes(choice.warnings)) == ((), ["invalid_date"])
    assert "series 1 (t1_tse_ax)" in choice.warnings[0].message


def test_a_localizer_of_another_date_does_not_matter(tmp_path):
    write(tmp_path, T1, replace(T2, study_date="20210304", description="localizer"))
    assert choose(tmp_path)[1].problems == ()


def test_two_studies_of_one_date_are_a_warning(tmp_path):
    write(tmp_path, T1, T1CE, T2, replace(FLAIR, study_uid="1.2.3"))
    choice = choose(tmp_path)[1]
    assert (choice.problems, codes(choice.warnings)) == ((), ["several_studies"])
