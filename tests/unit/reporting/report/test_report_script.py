import json

import numpy as np
import pytest
from matplotlib.image import imsave

import report
from tests.support.case_files import TASK
from tests.unit.reporting.report.test_content import CONFIGURATION, REFUSED, manifest_row, results
from tumorseg.cohort.manifest import REQUIRED_COLUMNS, write_manifest
from tumorseg.cohort.splits import FoldAssignment, fold_digest, write_splits
from tumorseg.cohort.validation_result import write_validation_results
from tumorseg.inference.records import RECORD_FORMAT
from tumorseg.io.digests import sha256
from tumorseg.io.files import read_json, write_json


@pytest.fixture
def arguments(tmp_path):
    run = results()
    rows = [
        manifest_row("a"),
        manifest_row("b"),
        manifest_row("c"),
        manifest_row("d", problems="truncated", detail="x"),
    ]
    empty = {**dict.fromkeys(REQUIRED_COLUMNS, ""), **dict.fromkeys(TASK.label_structures, 1)}
    write_manifest(tmp_path / "manifest.tsv", type(run.manifest)([{**empty, **row} for row in rows]))
    write_splits(tmp_path / "splits.tsv", run.splits)
    (tmp_path / "summary.json").write_text(json.dumps(run.summary))
    (tmp_path / "reliability.json").write_text(json.dumps(run.reliability))
    run.scores.to_csv(tmp_path / "cases.csv", index=False)
    run.folds[0].history.to_csv(tmp_path / "history.csv", index=False)
    write_validation_results(tmp_path / "validation_results.json", run.validation_results)
    (tmp_path / "model").write_bytes(b"model")
    selection = {
        "fold": 0,
        "epoch": 2,
        "select": "last",
        "refused": [REFUSED],
        "execution": "cpu fp32",
        "model": "m",
        "digest": sha256(tmp_path / "model"),
    }
    (tmp_path / "selection.json").write_text(json.dumps(selection))
    record = {"format": RECORD_FORMAT, "fold": 0, "model": selection["digest"], "split": fold_digest(run.splits, 0)}
    cases = {case: {**entry, "digest": "x", "written": {"4": 3}} for case, entry in run.predictions[0]["cases"].items()}
    write_json(tmp_path / "predictions.json", {**record, "settings": CONFIGURATION["prediction"], "cases": cases})
    imsave(tmp_path / "modalities.png", np.zeros((3, 5, 3)))
    files = {
        "manifest": "manifest.tsv",
        "validation-results": "validation_results.json",
        "splits": "splits.tsv",
        "summary": "summary.json",
        "scores": "cases.csv",
        "reliability": "reliability.json",
        "history": "history.csv",
        "selection": "selection.json",
        "models": "model",
        "predictions": "predictions.json",
        "figures": "modalities.png",
        "strips": "strips",
        "output": "report.html",
        "log": "report.log",
    }
    options = [word for option, name in files.items() for word in (f"--{option}", str(tmp_path / name))]
    return [
        *options,
        "--task",
        "brats-glioma",
        "--codes",
        '{"evaluate": "d1ge57  numpy 2.4.6"}',
        "--configuration",
        json.dumps(CONFIGURATION),
    ]


def test_the_page_is_written_and_its_summary_is_logged(arguments, tmp_path, capsys):
    report.main(arguments)
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "report: Cases: 3 used, 1 dropped"
    assert lines[-1] == f"report: Report: {tmp_path / 'report.html'}"


def test_an_unknown_figure_is_reported(arguments, tmp_path, capsys):
    (tmp_path / "modalities.png").rename(tmp_path / "odd.png")
    with pytest.raises(SystemExit, match="1"):
        report.main([word.replace("modalities.png", "odd.png") for word in arguments])
    assert "no caption" in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()


def change(path, **changes):
    write_json(path, read_json(path) | changes)


def change_split(folder):
    write_splits(
        folder / "splits.tsv", [FoldAssignment("a", "A", 0), FoldAssignment("b", "A", -1), FoldAssignment("c", "C", -1)]
    )


@pytest.mark.parametrize(
    ("tamper", "problem"),
    [
        (lambda run: (run / "model").write_bytes(b"other"), "model: this is not the model that"),
        (lambda run: change(run / "selection.json", fold=1), "selection.json: this is not the selection of fold 0"),
        (
            lambda run: change(run / "predictions.json", fold=1),
            "predictions.json: this is not a record of the predictions",
        ),
        (lambda run: change(run / "predictions.json", model="d"), "not made by the selected model"),
        (lambda run: change(run / "predictions.json", settings={}), "made with other settings"),
        (lambda run: change(run / "predictions.json", cases={}), "not made for the held-out cases of this fold"),
        (change_split, "made by a model of another split"),
    ],
)
def test_inconsistent_results_are_refused(arguments, tmp_path, capsys, tamper, problem):
    tamper(tmp_path)
    with pytest.raises(SystemExit, match="1"):
        report.main(arguments)
    message = capsys.readouterr().err
    assert problem in message
    assert message.rstrip().endswith("delete it and run again")
    assert not (tmp_path / "report.html").exists()
