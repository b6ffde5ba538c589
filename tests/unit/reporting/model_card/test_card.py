"""The model card of a synthetic run with three cases."""

import ast
import copy
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import model_card
from tests.support.builders import REPOSITORY, architecture
from tests.support.builders import model_card as trained_card
from tests.unit.metrics.test_registry import MISSED
from tumorseg.cohort.manifest import REQUIRED_COLUMNS, write_manifest
from tumorseg.cohort.splits import FoldAssignment, write_splits
from tumorseg.errors import UserError
from tumorseg.io.digests import sha256
from tumorseg.metrics import registry
from tumorseg.metrics.registry import columns, definitions
from tumorseg.metrics.summary import summarise
from tumorseg.networks.factory import build
from tumorseg.networks.model import write_model
from tumorseg.reporting.model_card.card import (
    CardContent,
    CardInputs,
    collect_card_content,
    read_card_inputs,
    render_model_card,
)
from tumorseg.task import Task, load_task

CONFIGURATION = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
TASK = load_task()
REFUSED = {
    "epoch": 3,
    "file": "results/training/fold-0/epoch-0003.pt",
    "problems": [{"code": "digest_mismatch", "message": "the file is not the one that was saved"}],
}


def manifest_row(case: str, *, problems: str = "") -> dict[str, Any]:
    known = {"case": case, "usable": not problems, "problems": problems, "detail": problems, "spacing": "1x1x1"}
    return {**dict.fromkeys(REQUIRED_COLUMNS, ""), **dict.fromkeys(TASK.label_structures, 1), **known}


def summary(task: Task = TASK, **changes: float) -> dict[str, Any]:
    values = dict.fromkeys(columns(), 10) | dict.fromkeys(definitions(), 0.5) | changes
    rows = [{"case": case, "fold": 0, "region": name, **values} for case in ("a", "b") for name in task.structures]
    settings = {"confidence": 0.9, "bootstrap_samples": 20, "surface_tolerance_mm": 1, "seed": 1}
    voxels = dict.fromkeys("ab", np.zeros((task.classes, task.classes), np.int64))
    return summarise(pd.DataFrame(rows), voxels, task=task, **settings)


@pytest.fixture
def files(tmp_path) -> dict[str, Any]:
    """Write the files of a run with two folds, in which case d is dropped."""
    rows = [manifest_row("a"), manifest_row("b"), manifest_row("c"), manifest_row("d", problems="truncated")]
    write_manifest(tmp_path / "manifest.tsv", pd.DataFrame(rows))
    check = {"usable": 3, "dropped": 1, "convention": "brats2023", "reasons": {"truncated": 1}}
    (tmp_path / "check.json").write_text(json.dumps(check))
    write_splits(
        tmp_path / "splits.tsv", [FoldAssignment("a", "A", 0), FoldAssignment("b", "A", 0), FoldAssignment("c", "C", 1)]
    )
    (tmp_path / "summary.json").write_text(json.dumps(summary()))
    for fold, refused in enumerate(([REFUSED], [])):
        model = tmp_path / f"fold-{fold}.safetensors"
        network = build(architecture())
        write_model(model, network, trained_card(network.architecture, fold=fold))
        selection = {"fold": fold, "epoch": 2, "select": "last", "refused": refused, "digest": sha256(model)}
        selection["network"] = "a network of a kind"
        (tmp_path / f"selection-{fold}.json").write_text(json.dumps(selection))
    names = {"manifest": "manifest.tsv", "check": "check.json", "splits": "splits.tsv", "summary": "summary.json"}
    return {
        **{name: tmp_path / file for name, file in names.items()},
        "selections": [tmp_path / f"selection-{fold}.json" for fold in (0, 1)],
        "models": [tmp_path / f"fold-{fold}.safetensors" for fold in (0, 1)],
    }


@pytest.fixture
def results(files) -> CardInputs:
    return read_card_inputs(**files)


def with_training(results: CardInputs, **facts) -> CardInputs:
    """Return the results with models of another training."""
    models = [replace(model, trained_on=replace(model.trained_on, **facts)) for model in results.models]
    return replace(results, models=models)


def card(results: CardInputs, task: Task = TASK, **sections: dict[str, Any]) -> str:
    """Return the card, with changed values in some sections of the configuration."""
    configuration = copy.deepcopy(CONFIGURATION)
    for section, changes in sections.items():
        configuration[section] = changes if configuration[section] is None else configuration[section] | changes
    return render_model_card(collect_card_content(results, configuration, task), configuration, task)


def card_content(results: CardInputs, demo: dict[str, Any] | None = None) -> CardContent:
    return collect_card_content(results, {"demo": demo}, TASK)


def test_cases_are_counted_with_the_problems_of_dropped_ones(results):
    content = card_content(results)
    assert (content.found, content.usable, content.dropped, content.reasons) == (4, 3, 1, {"truncated": 1})
    assert (content.patients, content.spacings_mm) == (2, {"1x1x1": 3})
    assert [(fold.trained, fold.held_out) for fold in content.folds] == [(1, 2), (2, 1)]
    text = card(results)
    assert "4 cases found, 3 usable, 1 dropped:" in text
    assert "| `truncated` | 1 |" in text


def test_the_loss_and_the_optimizer_are_described_as_configured(results):
    assert "Soft Dice of the labels 1, 2 and 4 plus categorical cross-entropy; Adam." in card(results)
    changes = {"dice_structures": "all", "dice_absent": "ignore", "weight_decay": 0.1}
    assert (
        "Soft Dice of the labels 1, 2 and 4 and the regions WT, TC and ET, as far as the patches contain them, plus "
        "weighted categorical cross-entropy; AdamW."
    ) in card(results, training={**changes, "cross_entropy_weights": {"label_1": 3}})
    assert "Soft Dice of the regions WT, TC and ET plus" in card(results, training={"dice_structures": "regions"})


def test_it_says_which_images_may_be_missing(results):
    assert "on one grid. All are required.\n" in card(results)
    assert "images that lack a modality" in card(results)
    dropout = card(with_training(results, channel_sets=(TASK.channel_names,), channel_dropout=0.2))
    assert "on one grid. Any may be missing, but not all.\n" in dropout
    assert "images with other preprocessing" in dropout


def test_the_sets_of_images_are_those_of_the_training_not_of_the_configuration(results):
    sets = (TASK.channel_names, ("t1", "t1ce", "flair"))
    text = card(with_training(results, channel_sets=sets), training={"channel_dropout": 0.2})
    known = "T1 + T1CE + T2 + FLAIR, T1 + T1CE + FLAIR"
    assert f"A patient must have one of the sets of images that the training had: {known}.\n" in text
    assert "images in other sets than those above, or with other preprocessing" in text


def test_an_optional_image_that_all_training_cases_had_is_required(results):
    optional = load_task("brats-metastases")
    results.summary.update(summary(optional))
    text = card(results, optional)
    assert "on one grid. All are required.\n" in text
    assert "images that lack a modality, or with other preprocessing" in text


def test_the_model_that_the_training_started_from_is_named(results):
    assert "started from" not in card(results)
    digest = "ab" * 32
    assert f"weights of the model with the SHA-256 `{digest}`." in card(results, training={"start_from": digest})


def test_a_run_without_problems_has_no_warnings(results):
    assert card_content(results).warnings == []


def test_demo_cohort_missed_label_and_selection_by_scored_cases_are_warnings(results):
    results.summary["never_predicted"] = ["label_1"]
    for model in results.models:
        model.selection["select"] = "best"
    demo, never, best = card_content(results, demo={"cases": 6}).warnings
    assert "Not usable on patients" in demo
    assert "Never predicted: label 1, necrotic / non-enhancing core" in never
    assert "the scores are optimistic" in best
    text = card(results, demo={"cases": 6})
    assert text.index(demo) < text.index("## Model")
    assert "were not used to select the epoch" not in text
    assert "The model is the best valid checkpoint by validation Dice." in text


def test_it_starts_with_the_warning_against_clinical_use(results):
    assert card(results).splitlines()[2] == "> For research only. Not a medical device, not for clinical use."


def test_a_new_metric_is_shown_as_its_record_says(results, monkeypatch):
    monkeypatch.setattr(registry, "_METRICS", {**registry._METRICS, MISSED.name: MISSED})
    text = card(replace(results, summary=summary()))
    assert " | Missed volume, ml |\n" in text
    assert re.search("lower for HD95 as in BraTS.* and Missed volume, higher for all others", text)
    assert f"- **Missed volume**: {MISSED.definition}." in text


def test_refused_checkpoints_are_listed(results):
    assert "| 0 | 2 | epoch 3 (digest_mismatch) |\n| 1 | 2 | none |" in card(results)


def test_scores_have_an_interval_and_a_number_of_cases(results):
    text = card(results)
    assert "with 90 % confidence interval" in text
    score = "0.500 (0.500 to 0.500)"
    assert f"| TC: tumour core | 2 | 0 | {score} | 0.5 (0.5 to 0.5) |" in text
    assert f"| label 2: oedema | 2 | 0 | {score} |" in text
    assert definitions()["lesionwise_dice"] in text


def test_every_model_is_listed_with_its_digest(results, files):
    for path in files["models"]:
        assert f"| `{path.name}` | {path.stat().st_size} | `{sha256(path)}` |" in card(results)


def test_resampling_is_described_if_configured(results):
    plain, resampled = card(results), card(results, normalisation={"spacing_mm": [1, 1, 2.5]})
    assert "Nothing is resampled" in plain
    assert "Nothing is resampled" not in resampled
    assert "images are resampled to voxels of 1 x 1 x 2.5 mm" in resampled
    assert "interpolated linearly back to the original grid" in resampled


def test_the_architecture_is_that_of_the_configuration(results):
    plain = card(results)
    assert "A network of a kind. 32 channels at the first of 4 levels" in plain
    assert "batch norm and ReLU; down-sampling by max pooling" in plain
    assert "deep supervision" not in plain
    other = card(results, model={"norm": "instance", "down_sampling": "stride", "deep_supervision": True})
    assert "instance norm and ReLU; down-sampling by strided convolutions" in other
    assert "trained with deep supervision" in other
    assert "at each level of the decoder" in other
    assert "moving average" not in plain
    assert "moving average" in card(results, training={"ema_decay": 0.99})


@pytest.mark.parametrize("steps", [{"fill_holes": True}, {"remove_components": {"WT": 0, "TC": 0, "ET": 9}}])
def test_post_processing_is_mentioned_if_there_is_any(results, steps):
    assert "post-processed" not in card(results)
    assert "The mask is the most probable class, post-processed" in card(results, prediction=steps)


def test_several_folds_are_a_cross_validation_and_one_is_not(results):
    text = card(results)
    assert "One model for each of 2 folds" in text
    assert "the scores below are of single models" in text
    del results.models[1:]
    text = card(results)
    assert "cross-validation" not in text
    assert "single models" not in text


def test_the_example_in_python_has_the_settings_of_the_prediction(results):
    (example,) = re.findall(r"```python\n(.*?)```", card(results), re.DOTALL)
    (literal,) = [
        node.value
        for node in ast.walk(ast.parse(example))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "prediction"
    ]
    assert ast.literal_eval(literal) == CONFIGURATION["prediction"]


def test_it_is_valid_markdown_with_complete_tables_and_no_double_blank_lines(results):
    for text in (card(results), card(results, demo={"cases": 6})):
        assert "\n\n\n" not in text
        assert text.endswith("\n")
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            assert len({line.count("|") for line in table.splitlines()}) == 1, table


def test_equal_runs_give_equal_cards(results):
    assert card(results) == card(results)


def test_a_model_that_was_not_selected_is_refused(files):
    files["models"][1].write_bytes(b"another")
    with pytest.raises(UserError, match=r"fold-1\.safetensors: this is not the model that .*selection-1\.json names"):
        read_card_inputs(**files)


def test_the_model_of_another_fold_is_refused_even_with_its_selection(files):
    for kind in ("models", "selections"):
        shutil.copy(files[kind][0], files[kind][1])
    with pytest.raises(UserError, match=r"selection-1\.json: this is not the selection of fold 1; delete it"):
        read_card_inputs(**files)


def test_the_script_writes_the_card(files, tmp_path, capsys):
    paths_by_option = {**files, "selection": files["selections"], "output": [tmp_path / "README.md"]}
    del paths_by_option["selections"]
    options = [
        word
        for option, paths in paths_by_option.items()
        for word in (f"--{option}", *map(str, [paths] if isinstance(paths, Path) else paths))
    ]
    model_card.main([*options, "--task", "brats-glioma", "--configuration", json.dumps(CONFIGURATION)])
    assert (tmp_path / "README.md").read_text() == card(read_card_inputs(**files))
    assert str(tmp_path / "README.md") in capsys.readouterr().err
