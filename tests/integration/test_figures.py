"""Adding and changing a figure: its rule, its place in both reports, and what is redrawn."""

import zipfile
from collections import Counter

import pytest

from tests.integration.workflow import Workflow, copy_repository, edit

pytestmark = pytest.mark.slow

CATALOGUE = "scripts/tumorseg/plotting/catalogue"
NEW_FIGURE = """
from tumorseg.plotting.figure_record import FigureRecord


def draw(files, task, settings):
    from matplotlib.figure import Figure

    drawing = Figure()
    drawing.text(0, 0, f"{len(files['predictions'])} folds, {len(files['scores'])} table, {task.whole_tumour}")
    return drawing


RECORD = FigureRecord(
    name="new",
    draw=draw,
    needs=("predictions", "scores"),
    section="training",
    title="A new figure",
    caption="Drawn on {display} in this test.",
    alt="Text.",
)
"""


@pytest.fixture
def repository(tmp_path):
    return copy_repository(tmp_path / "a checkout")


def test_a_new_figure_gets_a_rule_and_appears_in_both_reports(finished, repository, tmp_path):
    (repository / CATALOGUE / "new.py").write_text(NEW_FIGURE)
    figure_list = repository / "scripts/tumorseg/plotting/figure_list.py"
    edit(figure_list, "    modalities,\n", "    modalities,\n    new,\n")
    edit(figure_list, "    learning_curves.RECORD,\n", "    learning_curves.RECORD,\n    new.RECORD,\n")
    run = finished.copy(tmp_path / "run", repository)
    assert run.planned() == Counter(["figure_new", "report", "provenance"])
    run.succeed()
    assert (run.results / "figures/new.png").read_bytes().startswith(b"\x89PNG")
    assert (run.results / "figures/new.pdf").read_bytes().startswith(b"%PDF")
    page = (run.results / "report.html").read_text()
    assert 0 < page.index("Learning curves</h3>") < page.index("A new figure</h3>")
    assert "Drawn on FLAIR in this test." in page
    assert run.run(options=("--report", str(tmp_path / "report.zip"))).returncode == 0
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        snakemake_report = archive.read("report/report.html").decode()
    assert "Drawn on FLAIR in this test." in snakemake_report
    assert "A new figure" in snakemake_report


def test_a_change_of_one_figure_redraws_no_other(finished, repository):
    edit(repository / "scripts/tumorseg/plotting/heatmaps.py", '"#eeeeee"', '"#dddddd"')
    planned = Workflow(finished.folder, repository).planned()
    assert planned == Counter(["figure_confusion_matrix", "report", "provenance"])


def test_a_change_of_a_caption_rewrites_only_the_report(finished, repository):
    edit(repository / CATALOGUE / "gallery.py", "Scores and volumes are", "These scores and volumes are")
    assert Workflow(finished.folder, repository).planned() == Counter(["report", "provenance"])
