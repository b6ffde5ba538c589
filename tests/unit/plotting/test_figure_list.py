"""What follows from the record of a figure: its command, its caption, and its place on the page."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from docutils.core import publish_string
from matplotlib.image import imsave

import figure
from tests.support.builders import REPOSITORY
from tumorseg.plotting import figure_list
from tumorseg.plotting.catalogue import scores
from tumorseg.plotting.figure_record import NEEDS, caption_terms, to_restructured_text
from tumorseg.reporting.report.embedded_images import embed_figure, group_by_section
from tumorseg.task import built_in_tasks, load_task

TASK = load_task()
NEW = """
from tumorseg.plotting.figure_record import FigureRecord


def draw(files, task, settings):
    from matplotlib.figure import Figure

    drawing = Figure()
    drawing.text(0, 0, files["scores"][0].read_text() + task.whole_tumour)
    return drawing


RECORD = FigureRecord(
    name="new", draw=draw, needs=("scores",), section="training", title="New", caption="On {display}.", alt="Text."
)
"""


@pytest.fixture
def new(tmp_path, monkeypatch):
    """Add a figure to the catalogue, last in the list."""
    folder = tmp_path / "catalogue"
    folder.mkdir()
    (folder / "new.py").write_text(NEW)
    package = sys.modules["tumorseg.plotting.catalogue"]
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    monkeypatch.delitem(sys.modules, "tumorseg.plotting.catalogue.new", raising=False)
    from tumorseg.plotting.catalogue import new as module

    monkeypatch.setattr(figure_list, "FIGURES", (*figure_list.FIGURES, module.RECORD))


def command(name, tmp_path, **files):
    options = [word for need, path in files.items() for word in (f"--{need}", str(path))]
    options += ["--task", "brats-glioma", "--settings", json.dumps({"dpi": 30})]
    outputs = [str(tmp_path / "figure.png"), str(tmp_path / "figure.pdf")]
    figure.main(["--name", name, *options, "--output", *outputs])


@pytest.mark.usefixtures("new")
def test_a_new_figure_has_a_command(tmp_path):
    (tmp_path / "cases.csv").write_text("case")
    command("new", tmp_path, scores=tmp_path / "cases.csv")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.usefixtures("new")
def test_a_new_figure_has_a_place_and_a_caption_on_the_page(tmp_path):
    for name in ("new", "learning_curves"):
        imsave(tmp_path / f"{name}.png", np.zeros((3, 5, 3)))
    sections = group_by_section(
        [embed_figure(path, TASK) for path in (tmp_path / "new.png", tmp_path / "learning_curves.png")]
    )
    assert [(shown.name, shown.caption.title) for shown in sections["training"]] == [
        ("learning_curves", "Learning curves"),
        ("new", "New"),
    ]
    assert sections["training"][1].caption.text == "On FLAIR."


def test_a_command_without_a_needed_file_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        command("learning_curves", tmp_path, history=tmp_path / "history.csv")
    assert "the figure learning_curves needs --selection" in capsys.readouterr().err


def test_an_unknown_figure_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        command("unknown", tmp_path)
    assert "there is no figure unknown" in capsys.readouterr().err


def test_every_figure_has_a_module_and_files_of_its_own():
    for record in figure_list.FIGURES:
        assert (REPOSITORY / f"scripts/tumorseg/plotting/catalogue/{record.name}.py").is_file()
        assert set(record.needs) <= set(NEEDS)
    for names in ([record.name for record in figure_list.FIGURES], [record.stem for record in figure_list.FIGURES]):
        assert len(set(names)) == len(names)
    assert (scores.RECORD.rule, scores.RECORD.stem) == ("figure_scores", "score_distributions")


@pytest.mark.parametrize("task", built_in_tasks())
def test_captions_name_the_channels_of_the_task(task):
    texts = [record.caption_for(load_task(task)) for record in figure_list.FIGURES]
    assert all("{" not in caption.title + caption.text + caption.alt for caption in texts)
    assert all(len(caption.text) > 40 and len(caption.alt) > 40 for caption in texts)
    text = " ".join(caption.text + caption.alt for caption in texts)
    assert ("FLAIR" in text) == ("flair" in load_task(task).channel_names)
    assert ("wrong label" in text) == (len(load_task(task).labels) > 1)


def test_records_are_read_without_drawing_packages():
    heavy = "{'matplotlib', 'numpy', 'pandas', 'scipy', 'torch'}"
    program = f"import sys; import tumorseg.plotting.figure_list; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY / "scripts", capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("text", ["T1_ of *this* and `that` |x| \\ a_b <c>.", "plain: ρ = 0.5 (n = 3)"])
def test_a_caption_is_unchanged_in_the_report_of_snakemake(text):
    shown = publish_string(to_restructured_text(text), writer="pseudoxml", settings_overrides={"report_level": 5})
    assert shown.decode().splitlines()[-1].strip() == text


def test_a_caption_says_that_the_image_behind_the_masks_may_be_another_one():
    def behind(*, optional: bool) -> str:
        channels = tuple(replace(channel, optional=optional) for channel in TASK.channels)
        return caption_terms(replace(TASK, channels=channels))["display"]

    assert behind(optional=False) == "FLAIR"
    assert behind(optional=True) == "FLAIR (another image if it is missing)"
