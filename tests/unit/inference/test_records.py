"""The predictions of a fold belong to its model, its split and the recorded bytes of each mask."""

import json
import shutil

import pytest

import predict
from tests.support.builders import model_card, random_network, record_predictions, write_listed_data, write_random_case
from tests.unit.inference.test_held_out import EXECUTION, PREDICTION
from tumorseg.cohort.splits import FoldAssignment, fold_digest, write_splits
from tumorseg.errors import UserError
from tumorseg.inference.prediction_files import read_recorded_prediction
from tumorseg.inference.records import find_mask, recorded_masks
from tumorseg.io.digests import sha256
from tumorseg.io.files import read_json, write_json
from tumorseg.networks.model import write_model
from tumorseg.preprocessing.store import read_case

SPLITS = [FoldAssignment(case, case, fold) for case, fold in (("a", 0), ("b", 0), ("c", 1))]


def write_fold(folder, fold, splits=SPLITS, seed=0):
    """Write a model of a fold and its selection."""
    network = random_network(seed)
    card = model_card(network.architecture, fold=fold, split=fold_digest(splits, fold))
    write_model(folder / f"fold-{fold}.safetensors", network, card)
    write_json(folder / f"selection-{fold}.json", {"fold": fold, "digest": sha256(folder / f"fold-{fold}.safetensors")})


@pytest.fixture
def run(tmp_path):
    for seed, name in enumerate("abc"):
        write_random_case(tmp_path / f"normalised/{name}.safetensors", seed=seed)
    write_splits(tmp_path / "splits.tsv", SPLITS)
    for fold in (0, 1):
        write_fold(tmp_path, fold, seed=fold)
        write_listed_data(tmp_path / f"data-{fold}.json", tmp_path / "normalised", SPLITS, fold)
    return tmp_path


def segment(folder, fold=0):
    options = {
        "--model": folder / f"fold-{fold}.safetensors",
        "--selection": folder / f"selection-{fold}.json",
        "--normalised": folder / "normalised",
        "--data": folder / f"data-{fold}.json",
        "--splits": folder / "splits.tsv",
        "--fold": fold,
        "--task": "brats-glioma",
        "--settings": json.dumps({"prediction": PREDICTION, "execution": EXECUTION}),
        "--output": folder / f"predictions/fold-{fold}",
        "--record": folder / f"predictions/fold-{fold}.json",
    }
    predict.main([str(argument) for pair in options.items() for argument in pair])


def test_the_record_contains_model_split_settings_and_masks(run):
    segment(run)
    record = read_json(run / "predictions/fold-0.json")
    assert record["model"] == sha256(run / "fold-0.safetensors")
    assert (record["fold"], record["split"], record["settings"]) == (0, fold_digest(SPLITS, 0), PREDICTION)
    masks = recorded_masks([run / "predictions/fold-0"])
    for name in "ab":
        origin = read_case(run / f"normalised/{name}.safetensors").origin
        assert read_recorded_prediction(masks[name], origin.shape, origin.affine).any()


def swap_models(run):
    shutil.copy(run / "fold-0.safetensors", run / "fold-1.safetensors")


def swap_models_and_selections(run):
    swap_models(run)
    shutil.copy(run / "selection-0.json", run / "selection-1.json")


def forge_the_selection(run):
    swap_models(run)
    write_json(run / "selection-1.json", {"fold": 1, "digest": sha256(run / "fold-1.safetensors")})


def use_a_model_of_another_split(run):
    write_fold(run, 1, [FoldAssignment("a", "a", 1), FoldAssignment("b", "b", -1), FoldAssignment("c", "c", -1)])


@pytest.mark.parametrize(
    ("manipulation", "expected"),
    [
        (swap_models, "fold-1.safetensors: this is not the model that"),
        (swap_models_and_selections, "selection-1.json: this is not the selection of fold 1"),
        (forge_the_selection, "fold-1.safetensors: this is the model of fold 0, not of fold 1"),
        (use_a_model_of_another_split, "fold-1.safetensors: this model was trained on another split"),
        (lambda run: (run / "fold-1.safetensors").unlink(), "fold-1.safetensors: this model cannot be read"),
        (lambda run: (run / "selection-1.json").write_text("[]"), "selection-1.json: this is not the selection"),
    ],
)
def test_a_model_that_does_not_belong_to_the_fold_is_refused(run, capsys, manipulation, expected):
    manipulation(run)
    with pytest.raises(SystemExit, match="1"):
        segment(run, 1)
    message = capsys.readouterr().err
    assert expected in message
    assert "delete" in message
    assert not (run / "predictions").exists()


def test_a_held_out_case_replaced_after_its_digest_was_recorded_is_refused(run, capsys):
    write_random_case(run / "normalised/c.safetensors", seed=7)
    with pytest.raises(SystemExit, match="1"):
        segment(run, 1)
    assert "c.safetensors: this normalised case has changed since the data of the folds were" in capsys.readouterr().err


def test_the_data_of_another_split_are_refused(run, capsys):
    splits = [FoldAssignment("a", "a", 0), FoldAssignment("b", "b", -1), FoldAssignment("c", "c", 1)]
    write_listed_data(run / "data-1.json", run / "normalised", splits[:1] + splits[2:], 1)
    with pytest.raises(SystemExit, match="1"):
        segment(run, 1)
    assert "data-1.json: this is the data of another split; delete it" in capsys.readouterr().err


@pytest.fixture
def predictions(run):
    segment(run, 0)
    segment(run, 1)
    return [run / f"predictions/fold-{fold}" for fold in (0, 1)]


def test_a_replaced_mask_is_refused(predictions):
    shutil.copy(predictions[0] / "b.nii.gz", predictions[0] / "a.nii.gz")
    with pytest.raises(UserError, match=r"a\.nii\.gz: this mask was replaced or edited .*; delete .*fold-0 and run"):
        read_recorded_prediction(recorded_masks(predictions)["a"], (16, 16, 16), ((1, 0, 0, 0),))


def test_a_missing_mask_is_refused(predictions):
    (predictions[0] / "b.nii.gz").unlink()
    with pytest.raises(
        UserError, match=r"fold-0: there is no prediction for b, although fold-0\.json names it; delete"
    ):
        recorded_masks(predictions)


def test_a_mask_without_a_record_is_reported_and_not_used(predictions, caplog, monkeypatch):
    monkeypatch.setattr("tumorseg.cli.console.logger.propagate", True)
    shutil.copy(predictions[0] / "a.nii.gz", predictions[0] / "z.nii.gz")
    assert sorted(recorded_masks(predictions)) == ["a", "b", "c"]
    assert "fold-0: not made by this workflow and not used: z.nii.gz" in caplog.text


def test_exchanged_predictions_of_two_folds_are_refused(predictions):
    with pytest.raises(UserError, match=r"fold-1\.json: this is not a record of the predictions of fold 0"):
        recorded_masks(predictions[::-1])


def test_a_mask_is_found_only_in_the_fold_that_holds_out_its_case(predictions):
    masks = recorded_masks(predictions)
    assert find_mask(masks, "c", 1) == masks["c"]
    for case, fold in (("c", 0), ("d", None)):
        with pytest.raises(UserError, match=rf"^{case}: there is no prediction"):
            find_mask(masks, case, fold)


@pytest.mark.parametrize("record", ["[]", "5", '{"fold": 0}', "{", '{"format": 1, "fold": 0, "cases": {"a": {}}}'])
def test_a_corrupted_record_is_refused(predictions, record):
    (predictions[0].parent / "fold-0.json").write_text(record)
    with pytest.raises(UserError, match=r"fold-0\.json: .*delete .* and run again"):
        recorded_masks(predictions)


def test_a_record_with_invalid_cases_is_refused(predictions):
    for cases in ([], {"a": 5}, {"a": {"digest": 5}}):
        record_predictions(predictions[0], cases=cases)
        with pytest.raises(UserError, match=r"fold-0\.json: this is not a record"):
            recorded_masks(predictions)
