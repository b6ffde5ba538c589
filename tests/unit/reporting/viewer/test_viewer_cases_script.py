"""The cases of the viewer: the configuration key, the selection, and the command line."""

import json
from pathlib import Path

import pytest

import viewer_cases
from tests.unit.configuration.test_schema_validation import mistakes_with
from tests.unit.plotting.test_case_selection import scores_of
from tests.unit.plotting.test_figure_script import write_cohort
from tumorseg.errors import UserError
from tumorseg.plotting.case_selection import select_cases
from tumorseg.task import load_task

TASK = load_task()

DICE = {"a": 0.1, "b": 0.9, "c": 0.5}


@pytest.mark.parametrize("value", [0, 3, 12, ["BraTS-GLI-00000-000"]])
def test_a_number_and_a_list_of_cases_are_allowed(value):
    assert mistakes_with("report.viewer_cases", value) == []


@pytest.mark.parametrize("value", [-1, 13, 1.5, True, [], ["a", "a"], [3], "all", None])
def test_other_values_are_refused(value):
    (mistake,) = mistakes_with("report.viewer_cases", value)
    assert mistake.startswith("report.viewer_cases")


def test_named_cases_are_selected_in_order_with_their_rank():
    cases = select_cases(scores_of(DICE), ["a", "c"], TASK)
    assert [(case.case, case.rank, case.ranked_count) for case in cases] == [("a", 3, 3), ("c", 2, 3)]
    assert "worst of 3" in cases[0].title


def test_a_case_without_scores_is_reported_with_the_scored_ones():
    with pytest.raises(UserError, match=r"^no scores for d, e, .* choose from a, b, c$"):
        select_cases(scores_of(DICE), ["a", "d", "e"], TASK)


def test_a_long_list_of_scored_cases_is_shortened():
    many = {f"case-{number:03d}": 0.5 for number in range(300)}
    with pytest.raises(UserError, match=r"case-000, .*case-019, …$"):
        select_cases(scores_of(many), ["x"], TASK)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort(folder, (10, 12, 9), [0.0, 0.1, 0.2, 0.3])
    return folder


def run(cohort: Path, output: Path, requested: int | list[str]) -> list[dict]:
    arguments = ["--normalised", *map(str, sorted((cohort / "normalised").iterdir()))]
    arguments += ["--predictions", str(cohort / "predictions/fold-0"), "--scores", str(cohort / "cases.csv")]
    viewer_cases.main(
        [
            *arguments,
            "--task",
            "brats-glioma",
            "--settings",
            json.dumps({"viewer_cases": requested}),
            "--output",
            str(output),
        ]
    )
    return json.loads(output.read_text())["cases"]


def test_best_to_worst_are_written_with_all_volumes(cohort, tmp_path):
    cases = run(cohort, tmp_path / "viewer.json", 3)
    assert [case["title"].split(": ")[1].split(" of")[0] for case in cases] == ["best", "median", "worst"]
    volumes = {"t1", "t1ce", "t2", "flair", "reference", "prediction"}
    assert all(set(case["volumes"]) == volumes for case in cases)


def test_named_cases_are_written(cohort, tmp_path):
    cases = run(cohort, tmp_path / "viewer.json", ["BraTS-GLI-00002-000"])
    assert [case["case"] for case in cases] == ["BraTS-GLI-00002-000"]


def test_equal_inputs_give_equal_bytes(cohort, tmp_path):
    run(cohort, tmp_path / "one.json", 2)
    run(cohort, tmp_path / "two.json", 2)
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_an_unknown_name_stops_the_command_without_a_file(cohort, tmp_path):
    with pytest.raises(SystemExit):
        run(cohort, tmp_path / "viewer.json", ["unknown"])
    assert not (tmp_path / "viewer.json").exists()
