"""Snakemake's report of a run has every result with category, labels and caption."""

import json
import zipfile
from collections import Counter

import pytest

from tests.integration.workflow import Workflow

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(finished, tmp_path_factory):
    """The page of the report."""
    report = tmp_path_factory.mktemp("report") / "report.zip"
    completed = finished.run(options=("--report", str(report)))
    assert completed.returncode == 0, completed.stdout[-4000:]
    with zipfile.ZipFile(report) as archive:
        return archive.read("report/report.html").decode()


def script_value(page, start):
    """Return the value of a variable in the script of the page. start: begins its statement."""
    return json.JSONDecoder().raw_decode(page[page.index(start) + start.index("{") :])[0]


@pytest.fixture(scope="module")
def results(page):
    """The entries of the report by path of the result."""
    return script_value(page, 'var results = {"results/')


def test_the_report_has_the_runtime_of_every_rule(page, tmp_path):
    runtimes = Counter(job["rule"] for job in script_value(page, "var runtimes_spec = {")["data"]["values"])
    new_run = Workflow(tmp_path)
    new_run.configure()
    assert runtimes == new_run.planned()


def test_every_figure_table_and_page_is_in_the_report(results, finished):
    figures = {f"results/figures/{path.name}" for path in finished.results.glob("figures/*.png")}
    tables = {"results/cohort/manifest.tsv", "results/cohort/splits.tsv", "results/training/fold-0/history.csv"}
    tables |= {"results/training/fold-0/selection.json", "results/model/README.md"}
    tables |= {f"results/evaluation/{name}" for name in ("cases.csv", "summary.json", "lesions.csv", "reliability.csv")}
    pages = {"results/cohort/cohort.html", "results/report.html"}
    assert set(results) == figures | tables | pages


def test_every_result_has_a_caption_and_the_same_labels(results):
    for path, result in results.items():
        assert len(result["caption"]) > 40, path
        assert set(result["labels"]) == {"result", "kind"}, path
