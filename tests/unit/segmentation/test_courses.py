"""Files about patients with several time points, and the measures in records and tables."""

import pytest

from tests.support.builders import TASK
from tests.support.courses import sphere
from tumorseg.clinical.measures import diameter_measures
from tumorseg.io.tables import read_table
from tumorseg.segmentation.courses import course_files, course_lines, write_courses
from tumorseg.segmentation.prepared_patients import Visit
from tumorseg.segmentation.results import PatientResult, read_records, write_record, write_volume_table


def results(**diameters_mm):
    return [
        PatientResult(case, problems="" if diameter else "truncated", measures=sphere(diameter) if diameter else None)
        for case, diameter in diameters_mm.items()
    ]


def test_a_patient_with_several_time_points_has_a_table_and_a_chart(tmp_path):
    files = write_courses(tmp_path, results(P1_visit1=20, P1_visit2=10, P2=12), TASK)
    assert [file.name for file in files] == ["course.tsv", "course-P1.png"]
    assert files[1].read_bytes().startswith(b"\x89PNG")
    assert read_table(files[0])["case"].tolist() == ["P1_visit1", "P1_visit2"]
    (line,) = course_lines(files)
    assert line == f"1 patient has several time points; changes, for research use only: {files[0]}"


def test_a_time_point_that_was_not_segmented_has_a_row(tmp_path):
    files = write_courses(tmp_path, results(P1_visit1=20, P1_visit2=None), TASK)
    table = read_table(files[0])
    assert table["WT_ml"].tolist()[1] == ""
    assert "P1_visit2" in table["notices"][0]


def test_without_several_time_points_nothing_is_written(tmp_path):
    assert write_courses(tmp_path, results(P1=20, P2=10), TASK) == []
    assert list(tmp_path.iterdir()) == []
    assert course_lines([]) == []


def test_measures_are_in_the_record_and_the_table(tmp_path):
    patients = results(P1=20, P2=None)
    write_record(tmp_path, patients, {})
    assert read_records([tmp_path])[0] == patients
    write_volume_table(tmp_path / "volumes.tsv", patients, TASK.structures, diameter_measures(TASK))
    table = read_table(tmp_path / "volumes.tsv")
    assert float(table["enhancing_diameter_mm"][0]) == pytest.approx(20, abs=1)
    assert table["enhancing_diameter_mm"][1] == ""


def test_patients_and_dates_of_the_preparation_count_more_than_names(tmp_path):
    visits = {"a": Visit("P1", "2024-05-31"), "b": Visit("P1", "2024-01-31")}
    files = write_courses(tmp_path, results(a=20, b=10), TASK, visits)
    table = read_table(files[0])
    assert table["case"].tolist() == ["b", "a"]
    assert table["patient"].tolist() == ["P1", "P1"]
    assert [float(days) for days in table["days"]] == [0, 121]


@pytest.mark.parametrize("patient", ["2023/014", "a\\b", "é" * 200, "a\tb", "a\udcffb"])
def test_the_chart_of_a_patient_with_any_name_lies_in_the_folder(tmp_path, patient):
    visits = {"a": Visit(patient, "2024-05-31"), "b": Visit(patient, "2024-01-31")}
    files = write_courses(tmp_path, results(a=20, b=10), TASK, visits)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(file.name for file in files)
    assert len(files) == 2


def test_charts_and_pictures_have_different_names():
    files = course_files(["a/b", "A_b", "c"], ["course-c"])
    assert files == ["course-a_b.png", "course-A_b_2.png", "course-c_2.png"]
