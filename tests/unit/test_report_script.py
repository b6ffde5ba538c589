import json

import numpy as np
import pytest
from matplotlib.image import imsave

import report
from tests.unit.test_report_facts import CONFIGURATION, REFUSED, manifest_row, results
from tumorseg.cohort.manifest import COLUMNS, COUNTS, write_manifest
from tumorseg.cohort.splits import write_splits
from tumorseg.cohort.verdict import write_verdicts


@pytest.fixture
def arguments(tmp_path):
    run = results()
    rows = [
        manifest_row("a"),
        manifest_row("b"),
        manifest_row("c"),
        manifest_row("d", problems="truncated", detail="x"),
    ]
    empty = {**dict.fromkeys(COLUMNS, ""), **dict.fromkeys(COUNTS, 1)}
    write_manifest(tmp_path / "manifest.tsv", type(run.manifest)([{**empty, **row} for row in rows]))
    write_splits(tmp_path / "splits.tsv", run.splits)
    (tmp_path / "summary.json").write_text(json.dumps(run.summary))
    run.scores.to_csv(tmp_path / "cases.csv", index=False)
    run.folds[0].history.to_csv(tmp_path / "history.csv", index=False)
    write_verdicts(tmp_path / "verdicts.json", run.verdicts)
    selection = {
        "fold": 0,
        "epoch": 2,
        "choose": "last",
        "refused": [REFUSED],
        "execution": "cpu fp32",
        "model": "m",
        "digest": "d",
    }
    (tmp_path / "selection.json").write_text(json.dumps(selection))
    (tmp_path / "predictions.json").write_text(json.dumps(run.predictions[0]))
    imsave(tmp_path / "modalities.png", np.zeros((3, 5, 3)))
    files = {
        "manifest": "manifest.tsv",
        "verdicts": "verdicts.json",
        "splits": "splits.tsv",
        "summary": "summary.json",
        "scores": "cases.csv",
        "history": "history.csv",
        "selection": "selection.json",
        "predictions": "predictions.json",
        "figures": "modalities.png",
        "strips": "strips",
        "output": "report.html",
        "log": "report.log",
    }
    options = [word for option, name in files.items() for word in (f"--{option}", str(tmp_path / name))]
    return [*options, "--codes", '{"evaluate": "d1ge57  numpy 2.4.6"}', "--configuration", json.dumps(CONFIGURATION)]


def test_the_page_is_written_and_its_gist_is_said(arguments, tmp_path, capsys):
    report.main(arguments)
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "report: Cases: 3 used, 1 dropped"
    assert said[-1] == f"report: Report: {tmp_path / 'report.html'}"


def test_an_unknown_figure_stops_in_one_sentence(arguments, tmp_path, capsys):
    (tmp_path / "modalities.png").rename(tmp_path / "odd.png")
    with pytest.raises(SystemExit, match="1"):
        report.main([word.replace("modalities.png", "odd.png") for word in arguments])
    assert "no caption" in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()
