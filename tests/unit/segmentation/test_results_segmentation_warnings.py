"""Warnings about new patients in all outputs. Invalid predictions leave no mask."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from segment import main as gather
from tests.support.builders import random_network, trained_on
from tests.support.case_files import TASK, path_of, write_valid_case
from tests.support.patients import CARD, CONFIGURATION, CPU, mask_of, segment, tiny_segmenter
from tumorseg.errors import UserError
from tumorseg.inference.segmenter import Segmenter
from tumorseg.networks.factory import build
from tumorseg.networks.model import write_model
from tumorseg.networks.notices import DEMO_MODEL_WARNING, STARTER_MODEL_WARNING
from tumorseg.segmentation.models import read_models
from tumorseg.segmentation.results import (
    PatientResult,
    read_records,
    segmentation_summary,
    write_record,
    write_volume_table,
)


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return tiny_segmenter()


def test_warnings_are_in_the_table_the_record_and_the_terminal(tmp_path, segmenter):
    root = write_valid_case(write_valid_case(tmp_path / "data", "P-1"), "P-2", seed=1)
    card = replace(CARD, trained_on=trained_on((2.5, 2.5, 2.5), demo=True))
    patients = segment(root, tmp_path / "out", segmenter, card)
    method = {"models": [{"file": "demo.safetensors", "digest": "ab", "mark": card.mark}]}
    write_record(tmp_path / "out", patients, method)
    assert read_records([tmp_path / "out"]) == (patients, method)
    write_volume_table(tmp_path / "volumes.tsv", patients, TASK.structures)
    row = pd.read_csv(tmp_path / "volumes.tsv", sep="\t", index_col="case").loc["P-1"]
    assert row["warnings"] == "demonstration_model,spacing_unlike_training"
    spacing = (
        "voxels are 1 mm; the model was trained on voxels of 2.5 mm: resample all images of the patient to this size"
    )
    assert row["warning_messages"] == f"{DEMO_MODEL_WARNING} | {spacing}"
    lines = segmentation_summary(patients, tmp_path / "volumes.tsv", method)
    assert lines[1] == f"WARNING: P-1, P-2: {spacing}"
    assert lines[2].startswith("no intervals of the volumes of 2 patients: there is no file fold-0.reliability.json")
    assert lines[3] == "LOOK AT P-1: warning spacing_unlike_training"
    assert lines[5] == f"{DEMO_MODEL_WARNING} (demo.safetensors)"
    assert lines[6].startswith("2 patients are segmented; ")
    assert len(lines) == 7


def test_warnings_about_files_are_shown_too(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data", "P-1")
    path = path_of(root, "t2", "P-1")
    path.write_bytes(path.read_bytes() + b"more")
    (patient,) = segment(root, tmp_path / "out", segmenter)
    assert patient.warning_codes == ["trailing_bytes"]
    assert patient.warning_messages[0].startswith("P-1-t2w.nii.gz: 4 bytes follow")


def test_every_output_of_a_starter_model_says_what_it_is_and_what_it_scored(tmp_path, segmenter, monkeypatch):
    drawn = []
    monkeypatch.setattr("tumorseg.segmentation.patient.save_figure", lambda *arguments: drawn.append(arguments[0]))
    card = replace(CARD, starter_scores="Dice 0.5.")
    patients = segment(write_valid_case(tmp_path / "data"), tmp_path / "out", segmenter, card)
    text = f"{STARTER_MODEL_WARNING}. Dice 0.5."
    (patient,) = patients
    assert (patient.warning_codes[0], patient.warning_messages[0]) == ("starter_model", text)
    assert mask_of(tmp_path / "out", patient.case).header["descrip"].item().decode() == STARTER_MODEL_WARNING
    shown = [label.get_text() for label in drawn[0].texts]
    assert {STARTER_MODEL_WARNING, "Dice 0.5."} <= set(shown)
    assert not any(label.startswith(f"Warning: {STARTER_MODEL_WARNING}") for label in shown)
    method = {"models": [{"file": "starter", "digest": "ab", "mark": card.notice.text}]}
    lines = segmentation_summary(patients, tmp_path / "volumes.tsv", method)
    assert lines[0] == "segmented by starter (SHA-256 ab)"
    assert lines.count(f"{text} (starter)") == 1
    assert not any(line.startswith("WARNING") and STARTER_MODEL_WARNING in line for line in lines)


@pytest.mark.parametrize("demo", [True, False])
def test_a_demo_model_is_marked_on_the_figure_and_in_the_header_of_the_mask(tmp_path, segmenter, monkeypatch, demo):
    drawn = []
    monkeypatch.setattr("tumorseg.segmentation.patient.save_figure", lambda *arguments: drawn.append(arguments[0]))
    card = replace(CARD, trained_on=trained_on((2, 1, 1), demo=demo))
    (patient,) = segment(write_valid_case(tmp_path / "data"), tmp_path / "out", segmenter, card)
    texts = [text.get_text() for text in drawn[0].texts]
    assert (DEMO_MODEL_WARNING in texts) == demo
    assert any(text.startswith("Warning: voxels are 1 mm; the model was trained on") for text in texts)
    header = mask_of(tmp_path / "out", patient.case).header
    assert header["descrip"].item().decode() == (DEMO_MODEL_WARNING if demo else "")


def test_one_demo_model_among_several_marks_the_mask(tmp_path, segmenter):
    folder, cards = tmp_path / "out", [CARD, replace(CARD, trained_on=trained_on(demo=True))]
    (patient,) = segment(write_valid_case(tmp_path / "data"), folder, segmenter, cards)
    assert patient.warning_codes == ["demonstration_model"]
    assert mask_of(folder, patient.case).header["descrip"].item().decode() == DEMO_MODEL_WARNING


def test_a_non_finite_output_leaves_no_mask(tmp_path):
    broken = random_network()
    broken.heads[0].bias.data[2] = torch.nan
    root = write_valid_case(tmp_path / "data")
    (patient,) = segment(root, tmp_path / "out", Segmenter([broken], CPU, CONFIGURATION["prediction"], task=TASK))
    assert (patient.segmented, patient.problems) == (False, "not_finite_prediction")
    assert "the output of the network is NaN or infinite" in patient.detail
    assert list((tmp_path / "out").iterdir()) == []


def test_the_count_of_patients_uses_the_singular():
    method = {"models": []}
    assert segmentation_summary([PatientResult("P-1")], Path("t"), method) == [
        "1 patient is segmented; volumes and warnings, for research use only: t"
    ]
    failed = PatientResult("P-2", "truncated", "cut off")
    assert (
        segmentation_summary([failed], Path("t"), method)[-1]
        == "0 of 1 patient is segmented; volumes and warnings, for research use only: t"
    )


def test_models_of_different_voxel_sizes_are_refused(tmp_path):
    for name, spacing in (("a", (1, 1, 1)), ("b", (2.5, 2.5, 2.5))):
        write_model(tmp_path / name, build(CARD.architecture), replace(CARD, trained_on=trained_on(spacing)))
    with pytest.raises(UserError, match=r"b was trained on voxels of 2\.5 mm, .*a on voxels of 1 mm"):
        read_models([tmp_path / "a", tmp_path / "b"], TASK)


def test_the_job_fails_with_the_reasons_if_no_patient_is_segmented(tmp_path, capsys):
    method = {"models": [{"file": "m.safetensors", "digest": "ab", "mark": ""}], "structures": ["WT"]}
    write_record(tmp_path / "batch", [PatientResult("P-1", "truncated", "the file is cut off")], method)
    with pytest.raises(SystemExit):
        gather(["--shards", str(tmp_path / "batch"), "--settings", "{}", "--output", str(tmp_path / "out")])
    printed = capsys.readouterr().err
    assert "NOT segmented: P-1: truncated: the file is cut off" in printed
    assert "segmented by" not in printed
    assert "0 of 1 patient is segmented" in printed
    assert (tmp_path / "segmented/volumes.tsv").exists()
