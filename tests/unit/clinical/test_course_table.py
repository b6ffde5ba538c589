"""The table of time points, and the words that no output contains."""

import pytest

from tests.support.builders import TASK
from tests.support.courses import DATES, VERDICTS, course
from tumorseg.clinical.course_table import RESEARCH_USE, course_table
from tumorseg.clinical.measures import diameter_measures, volume_measures
from tumorseg.io.tables import read_table, write_table
from tumorseg.task import built_in_tasks, load_task

TEXT = ("patient", "case", "lines_reached", "notices")


def test_a_row_is_read_as_it_was_written(tmp_path):
    write_table(tmp_path / "course.tsv", course_table([course([24, 16, 20], DATES)], TASK))
    table = read_table(tmp_path / "course.tsv", text_columns=TEXT)
    assert table["time_point"].tolist() == [1, 2, 3]
    assert table["days"].tolist() == [0, 31, 60]
    assert table["ET_ml_from_baseline_percent"].isna().tolist() == [True, False, False]
    first, second, _ = table["enhancing_sum_mm2"]
    change = table["enhancing_sum_mm2_from_baseline_percent"][1]
    assert change == pytest.approx(100 * (second / first - 1), abs=0.1)
    assert table["lines_reached"].tolist() == [
        "",
        "enhancing_sum_mm2 −50 % from baseline, ET_ml −65 % from baseline",
        "enhancing_sum_mm2 +25 % from nadir, ET_ml +40 % from nadir",
    ]


def test_the_table_has_no_dates_of_a_person():
    assert "2024" not in course_table([course([24, 16, 20], DATES)], TASK).to_string()


def test_a_percentage_of_zero_is_undefined_and_the_reason_is_said():
    table = course_table([course([0, 20, 20])], TASK)
    assert table["ET_ml_from_baseline_percent"].isna().all()
    assert "enhancing_sum_mm2 was 0 at baseline: no percentage" in table["notices"][1]
    assert "was 0" not in table["notices"][0]


def test_a_time_point_without_a_mask_has_empty_cells():
    row = course_table([course([20, None, 20])], TASK).iloc[1]
    assert row[["WT_ml", "enhancing_lesions", "WT_ml_from_baseline_percent"]].isna().all()


def test_every_row_says_that_it_is_for_research_only():
    assert all(notice.startswith(RESEARCH_USE) for notice in course_table([course([20, 10])], TASK)["notices"])


def test_no_cell_and_no_column_is_a_verdict():
    courses = [course([24, 16, 0, 20]), course([0, 30]), course([None, 5, 30], DATES)]
    text = "".join(course_table([found], TASK).to_csv() for found in courses)
    assert VERDICTS.findall(text) == []


@pytest.mark.parametrize("name", built_in_tasks())
def test_no_definition_is_a_verdict(name):
    task = load_task(name)
    for measure in (*volume_measures(task), *diameter_measures(task)):
        assert VERDICTS.findall(f"{measure.name} {measure.title} {measure.definition}") == []
