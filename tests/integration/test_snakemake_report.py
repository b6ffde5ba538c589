"""Snakemake's own report of a run: every result with its category, labels and caption."""

import json
import zipfile

import pytest

_START = 'var results = {"results/'


@pytest.fixture(scope="module")
def told(finished, tmp_path_factory):
    """What the report says of each result, by its path."""
    report = tmp_path_factory.mktemp("report") / "report.zip"
    completed = finished.run(options=("--report", str(report)))
    assert completed.returncode == 0, completed.stdout[-4000:]
    with zipfile.ZipFile(report) as archive:
        page = archive.read("report/report.html").decode()
    results, _ = json.JSONDecoder().raw_decode(page[page.index(_START) + len("var results = ") :])
    return results


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
