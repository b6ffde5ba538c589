"""Order, baseline, nadir and percentages of time points with known changes."""

import pytest

from tests.support.builders import TASK
from tests.support.courses import course, sphere
from tumorseg.clinical.course import AREA_LINES, VOLUME_LINES, find_courses, tracked_measures
from tumorseg.task import load_task

AREA, ENHANCING_VOLUME, WHOLE_VOLUME = tracked_measures(TASK)


def test_changes_are_relative_to_the_first_and_to_the_smallest_earlier_value():
    found = course([20, 14, 28])
    volumes = [point.measures.volumes_ml["ET"] for point in found.points]
    first, second, third = volumes
    assert found.changes(ENHANCING_VOLUME, "baseline") == [
        None,
        pytest.approx(100 * (second / first - 1)),
        pytest.approx(100 * (third / first - 1)),
    ]
    assert found.changes(ENHANCING_VOLUME, "nadir")[2] == pytest.approx(100 * (third / second - 1))


def test_known_growth_of_a_sphere_has_known_percentages():
    found = course([20, 24])
    assert found.changes(AREA, "baseline")[1] == pytest.approx(44, abs=4)
    assert found.changes(ENHANCING_VOLUME, "baseline")[1] == pytest.approx(72.8, abs=3)


def test_the_lines_are_those_of_rano_2():
    assert {(line.reference, line.percent) for line in AREA_LINES} == {("nadir", 25), ("baseline", -50)}
    assert {(line.reference, line.percent) for line in VOLUME_LINES} == {("nadir", 40), ("baseline", -65)}


@pytest.mark.parametrize(
    ("line", "change", "reached"),
    [
        (AREA_LINES[0], 25.0, True),
        (VOLUME_LINES[0], 100 * (14 / 10 - 1), True),
        (VOLUME_LINES[1], 100 * (3.5 / 10 - 1), True),
        (AREA_LINES[0], 24.9, False),
        (AREA_LINES[1], -50.0, True),
        (AREA_LINES[1], -49.9, False),
        (VOLUME_LINES[1], -100.0, True),
    ],
)
def test_a_line_is_reached_by_changes_at_least_as_large(line, change, reached):
    assert line.is_reached(change) == reached


def test_lines_reached_at_each_time_point():
    found = course([24, 16, 16, 20])
    reached = [[line.text for line in found.lines_reached(AREA, index)] for index in range(4)]
    assert reached == [[], ["−50 % from baseline"], ["−50 % from baseline"], ["+25 % from nadir"]]
    assert found.lines_reached(WHOLE_VOLUME, 3) == []


def test_a_baseline_of_zero_has_no_percentage():
    found = course([0, 20, 20])
    assert found.changes(AREA, "baseline") == [None, None, None]
    assert found.changes(AREA, "nadir") == [None, None, None]
    assert found.lines_reached(AREA, 1) == []


def test_disappearance_is_a_change_of_minus_100_percent():
    assert course([20, 0]).changes(ENHANCING_VOLUME, "baseline")[1] == -100


def test_dates_decide_the_order():
    found = course([20, 10, 30], {"P1_visit1": "2024-03-01", "P1_visit2": "20240229", "P1_visit3": "2023-12-31"})
    assert [point.case for point in found.points] == ["P1_visit3", "P1_visit2", "P1_visit1"]
    assert [point.days for point in found.points] == [0, 60, 61]
    assert found.notices == ()


@pytest.mark.parametrize(
    ("dates", "notice"), [(None, "no dates"), ({"P1_visit1": "2024-01-01"}, "1 of 2 time points is dated")]
)
def test_without_all_dates_the_numbers_of_the_names_decide(dates, notice):
    found = course([20, 10], dates)
    assert [point.days for point in found.points] == [None, None]
    assert found.notices[0].startswith(notice)


def test_numbers_in_names_are_compared_as_numbers():
    cases = {f"P1_visit{number}": sphere(10) for number in (10, 9, 100)}
    (found,) = find_courses(cases, dict.fromkeys(cases, "P1"))
    assert [point.case for point in found.points] == ["P1_visit9", "P1_visit10", "P1_visit100"]


def test_names_without_an_order_have_no_changes():
    cases = {"P1_post-op": sphere(10), "P1_pre-op": sphere(20)}
    (found,) = find_courses(cases, dict.fromkeys(cases, "P1"))
    assert found.changes(AREA, "baseline") == [None, None]
    assert "the order of the time points is unknown" in found.notices[0]


def test_a_time_point_without_a_mask_is_left_out_of_the_references():
    found = course([None, 20, 10])
    assert found.changes(ENHANCING_VOLUME, "baseline")[:2] == [None, None]
    assert found.changes(ENHANCING_VOLUME, "baseline")[2] < -80
    assert "P1_visit1" in found.notices[-1]


def test_tumour_that_is_too_small_for_the_sum_of_products_is_said():
    found = course([20, 6])
    assert found.changes(AREA, "baseline")[1] == -100
    assert found.notices[-1].endswith("so that the sum of products is 0: P1_visit2")


def test_different_voxels_and_equal_dates_are_said():
    cases = {"P1_visit1": sphere(16), "P1_visit2": sphere(16, 0.5)}
    (found,) = find_courses(cases, dict.fromkeys(cases, "P1"), dict.fromkeys(cases, "2024-01-01"))
    assert len(found.notices) == 2


def test_patients_with_one_time_point_have_no_course():
    assert find_courses({"P1": sphere(10), "P2": sphere(10)}, {"P1": "P1", "P2": "P2"}) == []


@pytest.mark.parametrize("text", ["2024-02-30", "0000-00-00"])
def test_a_date_that_does_not_exist_counts_as_missing_with_a_notice(text):
    found = course([10, 10], {"P1_visit1": text, "P1_visit2": "2024-03-01"})
    assert [point.days for point in found.points] == [None, None]
    assert found.notices[0] == f"P1_visit1: {text} is no date and is left out"
    assert found.notices[1].startswith("1 of 2 time points is dated")


def test_an_invalid_date_of_a_patient_with_one_time_point_stops_no_other():
    cases = {"P1": sphere(10), "P2_1": sphere(10), "P2_2": sphere(10)}
    dates = {"P1": "0000-00-00", "P2_1": "2024-01-01", "P2_2": "2024-01-03"}
    (found,) = find_courses(cases, {"P1": "P1", "P2_1": "P2", "P2_2": "P2"}, dates)
    assert [point.days for point in found.points] == [0, 2]


def test_a_task_without_enhancing_tumour_tracks_the_whole_tumour():
    (tracked,) = tracked_measures(load_task("brats-meningioma-radiotherapy"))
    assert (tracked.name, tracked.lines) == ("GTV_ml", ())
