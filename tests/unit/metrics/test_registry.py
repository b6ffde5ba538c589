"""A new metric needs one record. The metrics registered here appear everywhere that scores do."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.unit.reporting.report.test_content import CONFIGURATION, results
from tests.unit.reporting.report.test_report_html import page_of
from tumorseg.evaluation.scoring import CaseScores, overview_lines
from tumorseg.metrics import registry
from tumorseg.metrics.comparison import compare, comparison_table
from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.structure_scores import case_scores, missing_scores, score_rows
from tumorseg.metrics.summary import count_definitions, summarise
from tumorseg.plotting.distributions import score_distributions
from tumorseg.plotting.score_table import table_header, table_rows
from tumorseg.reporting.report.content import collect_report_content
from tumorseg.task import load_task

TASK = load_task()
SETTINGS = {"confidence": 0.9, "bootstrap_samples": 20, "seed": 1}
FOUND = Metric(
    "found_share",
    lambda pair: pair.overlap.true_positives / pair.overlap.reference_voxels,
    title="Share found",
    definition="TP / (TP + FN), higher is better",
    better="higher",
    best=1,
    worst=0,
    places=("macro", "terminal", "distributions"),
)
MISSED = Metric(
    "missed_ml",
    lambda pair: np.count_nonzero(pair.reference & ~pair.prediction) * pair.voxel_mm3 / 1000,
    title="Missed volume",
    short_title="Missed",
    definition="volume of the reference that is not predicted, lower is better",
    better="lower",
    best=0,
    worst=77,
    unit="ml",
    decimals=2,
    places=("report", "report_cases", "case_figure", "terminal", "model_card"),
)
SURPLUS = Metric(
    "surplus",
    lambda pair: pair.overlap.predicted_voxels - pair.overlap.reference_voxels,
    title="Surplus voxels",
    definition="predicted minus reference, nearer to 0 is better",
    better="nearer_zero",
    best=0,
    worst=None,
    counts_empty=True,
)
ADDED = (FOUND, MISSED, SURPLUS)


@pytest.fixture
def registered(monkeypatch):
    """Register three metrics for a test."""
    monkeypatch.setattr(registry, "_METRICS", dict(registry._METRICS))
    for metric in ADDED:
        registry.register(metric)


def line(*labels: int) -> np.ndarray:
    return np.array(labels, np.uint8).reshape(-1, 1, 1)


REFERENCE = line(2, 2, 2, 2, 0, 0)
GOOD, BAD, LARGE = line(2, 2, 2, 0, 0, 0), line(2, 0, 0, 0, 0, 0), line(2, 2, 2, 2, 2, 2)


def score_case(prediction: np.ndarray | None, case: str = "a") -> CaseScores:
    if prediction is None:
        return CaseScores(case, 0, *missing_scores(REFERENCE, (1.0, 1.0, 1.0), task=TASK))
    scores = case_scores(REFERENCE, prediction, (1.0, 1.0, 1.0), task=TASK, surface_tolerance_mm=1)
    return CaseScores(case, 0, *scores)


def table(prediction: np.ndarray | None) -> pd.DataFrame:
    found = score_case(prediction)
    return pd.DataFrame(score_rows(found.case, found.fold, found.scores))


def summary(prediction: np.ndarray | None) -> dict:
    missing = ["a"] if prediction is None else []
    confusions = {"a": score_case(prediction).confusion}
    return summarise(table(prediction), confusions, task=TASK, missing=missing, surface_tolerance_mm=1, **SETTINGS)


def whole_tumour_scores(prediction: np.ndarray | None) -> list[float]:
    row = table(prediction).set_index("region").loc["WT"]
    return [row[metric.name] for metric in ADDED]


@pytest.mark.usefixtures("registered")
def test_its_column_is_after_the_other_scores_and_before_the_counts():
    columns = list(table(GOOD).columns)
    position = columns.index("volume_error_mm3")
    assert columns[position + 1 : position + 5] == ["found_share", "missed_ml", "surplus", "lesions_found"]
    assert whole_tumour_scores(GOOD) == [0.75, 0.001, -1]


@pytest.mark.usefixtures("registered")
def test_empty_masks_are_scored_as_its_record_says():
    assert whole_tumour_scores(np.zeros_like(REFERENCE)) == [0, 77, -4]
    enhancing = table(GOOD).set_index("region").loc["ET"]  # absent from both masks
    assert [enhancing[metric.name] for metric in ADDED] == [1, 0, 0]


@pytest.mark.usefixtures("registered")
def test_a_missing_prediction_gets_its_worst():
    assert whole_tumour_scores(None) == [0, 77, -4]
    assert re.search(
        r"worst value of each score, 0, 374 mm.* or 77 ml, in every", count_definitions()["missing prediction"]
    )


@pytest.mark.usefixtures("registered")
def test_the_summary_contains_and_defines_it():
    found = summary(GOOD)
    assert {metric.name: found["definitions"][metric.name] for metric in ADDED} == {
        metric.name: metric.definition for metric in ADDED
    }
    assert found["structures"]["WT"]["scores"]["missed_ml"]["mean"] == 0.001
    assert found["macro"]["found_share"]["mean"] == pytest.approx((1 + 0.75 + 1) / 3)
    assert found["macro_with_background"]["found_share"]["mean"] == pytest.approx((1 + 1 + 0.75 + 1) / 4)
    assert summary(None)["macro_with_background"]["found_share"]["mean"] == 0


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("metric", ADDED, ids=lambda metric: metric.better)
@pytest.mark.parametrize(("first", "second", "counts"), [(BAD, GOOD, (1, 0, 0)), (GOOD, BAD, (0, 0, 1))])
def test_the_comparison_ranks_it(metric, first, second, counts):
    compared = compare({"one": table(first), "two": table(second)}, task=TASK, **SETTINGS)
    found = compared["structures"]["WT"][metric.name]["differences"]["two"]
    assert (found["better"], found["equal"], found["worse"]) == counts
    assert metric.name in comparison_table(compared)["score"].tolist()


@pytest.mark.usefixtures("registered")
def test_a_surplus_and_a_deficit_of_the_same_size_are_equal():
    too_little = line(2, 2, 0, 0, 0, 0)
    compared = compare({"one": table(too_little), "two": table(LARGE)}, task=TASK, **SETTINGS)
    assert compared["structures"]["WT"]["surplus"]["differences"]["two"]["equal"] == 1


@pytest.mark.usefixtures("registered")
def test_the_comparison_names_the_better_direction():
    definitions = compare({"one": table(GOOD), "two": table(BAD)}, task=TASK, **SETTINGS)["definitions"]
    assert re.search("lower for hd95, .* and missed_ml, nearer to 0 for", definitions["better"])
    assert definitions["difference"].endswith("for volume_error_mm3 and surplus, of the distances from 0")


@pytest.mark.usefixtures("registered")
def test_the_terminal_shows_it_if_its_record_says_so():
    found = {**summary(GOOD), "unusable": [], "missing": []}
    head, whole_tumour, *_ = overview_lines({"masks": found}, TASK)
    assert head.endswith("Share found  Missed volume, ml")
    assert whole_tumour.split()[-2:] == ["0.750", "0.00"]
    assert "Surplus" not in head


def report_page() -> str:
    """The report of a run in which each case has the scores of GOOD."""
    run = results()
    scores = pd.concat([table(GOOD).assign(case=case, channels=",".join(TASK.channel_names)) for case in ("a", "b")])
    confusions = dict.fromkeys("ab", score_case(GOOD).confusion)
    summarised = summarise(scores, confusions, task=TASK, surface_tolerance_mm=1, **SETTINGS)
    return page_of(
        collect_report_content(
            replace(run, scores=scores, summary=summarised), CONFIGURATION, TASK, patients_from_names=True
        )
    )


@pytest.mark.usefixtures("registered")
def test_the_tables_of_the_report_have_it_with_unit_decimals_and_definition():
    _, first, more, cases, *_ = report_page().split("<table")[1:]
    assert re.findall(r'<th scope="col">(.*?)</th>', first)[2:6] == ["Dice", "IoU", "F1", "Share found"]
    assert "<td>0.750</td>" in first
    assert "Missed volume, ml</th>" in more
    assert "Surplus voxels</th>" in more
    assert re.search(r"<td>0.00</td>\n<td>−1.000</td>", more)
    assert "<dt>Surplus voxels</dt><dd>predicted minus reference, nearer to 0 is better</dd>" in more
    assert "nearer to 0 for Volume error and Surplus voxels, higher for all others" in more
    assert "Missed WT, ml</th>" in cases
    assert '<td data-value="0.001">0.00</td>' in cases


@pytest.mark.usefixtures("registered")
def test_the_case_figure_has_it():
    row = table(GOOD).set_index("region").drop(columns="case").T.to_dict()
    head, whole_tumour, tumour_core = table_header(), *table_rows(row, TASK)[:2]
    position = head.index("Missed, ml")
    assert (whole_tumour[position], tumour_core[position]) == ("0.00", "(0.00)")


@pytest.mark.usefixtures("registered")
def test_the_figure_of_distributions_has_a_panel_for_it():
    cases = pd.concat([table(GOOD).assign(case=f"case {number}") for number in range(10)])
    titles = [axes.get_title() for axes in score_distributions(cases, TASK).axes]
    assert titles == ["Dice", "IoU", "Precision", "Sensitivity", "Share found"]
