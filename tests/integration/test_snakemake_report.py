"""Snakemake's own report of a run: every result with its category, labels and caption."""

import json
import zipfile
from collections import Counter

import pytest

from tests.integration.workflow import Workflow


@pytest.fixture(scope="module")
def page(finished, tmp_path_factory):
    """The page of the report."""
    report = tmp_path_factory.mktemp("report") / "report.zip"
    completed = finished.run(options=("--report", str(report)))
    assert completed.returncode == 0, completed.stdout[-4000:]
    with zipfile.ZipFile(report) as archive:
        return archive.read("report/report.html").decode()


def value(page, start):
    """What the page's script sets a variable to, from the text that begins that statement."""
    return json.JSONDecoder().raw_decode(page[page.index(start) + start.index("{") :])[0]


@pytest.fixture(scope="module")
def told(page):
    """What the report says of each result, by its path."""
    return value(page, 'var results = {"results/')


def test_it_shows_the_runtime_of_every_rule(page, tmp_path):
    runtimes = Counter(job["rule"] for job in value(page, "var runtimes_spec = {")["data"]["values"])
    nothing = Workflow(tmp_path)
    nothing.configure()
    assert runtimes == nothing.planned()


def test_every_figure_table_and_page_is_in_it(told, finished):
    figures = {f"results/figures/{path.name}" for path in finished.results.glob("figures/*.png")}
    tables = {"results/cohort/manifest.tsv", "results/cohort/splits.tsv", "results/training/fold-0/history.csv"}
    tables |= {"results/training/fold-0/selection.json", "results/model/README.md"}
    tables |= {"results/evaluation/cases.csv", "results/evaluation/summary.json"}
    pages = {"results/cohort/cohort.html", "results/report.html"}
    assert set(told) == figures | tables | pages


def test_every_result_has_a_caption_and_the_same_labels(told):
    for path, result in told.items():
        assert len(result["caption"]) > 40, path
        assert set(result["labels"]) == {"result", "kind"}, path
