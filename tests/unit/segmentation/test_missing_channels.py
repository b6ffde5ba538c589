"""New patients who lack images: segmented with a warning if the model was trained for that, otherwise refused."""

import json
from dataclasses import replace

import nibabel
import numpy as np
import pytest

from tests.support.builders import TASK, architecture, model_card, trained_on
from tests.support.case_files import path_of, write_valid_case
from tests.support.patients import CARD, CONFIGURATION, mask_of, segment, tiny_segmenter
from tests.unit.networks.test_subset_scores import score
from tumorseg.inference.segmenter import Segmenter
from tumorseg.io.digests import sha256
from tumorseg.io.tables import read_table
from tumorseg.networks.factory import build
from tumorseg.networks.model import read_model, write_model
from tumorseg.networks.subset_scores import SubsetScore, SubsetScores, subset_scores_path, write_subset_scores
from tumorseg.networks.training_facts import TrainingFacts
from tumorseg.segmentation.models import known_subset_scores
from tumorseg.segmentation.results import (
    PatientResult,
    read_records,
    segmentation_summary,
    write_record,
    write_volume_table,
)

ALL = TASK.channel_names
COMPLETE, WITHOUT_FLAIR = score("t1 t1ce t2 flair", 12, 0.8), score("t1 t1ce t2", 12, 0.5)


def scores_of(*subsets: SubsetScore, **prediction) -> SubsetScores:
    return SubsetScores(subsets, CONFIGURATION["prediction"] | prediction)


SCORES = scores_of(COMPLETE, WITHOUT_FLAIR)


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return tiny_segmenter()


def training(
    dropout: float = 0, sets: tuple[tuple[str, ...], ...] = (ALL,), patches: tuple[float, ...] = ()
) -> TrainingFacts:
    return replace(trained_on(), channel_dropout=dropout, channel_sets=sets, set_patches=patches)


def card_with(*arguments, **options):
    return replace(CARD, trained_on=training(*arguments, **options))


def segment_without(tmp_path, segmenter, *missing: str, card=CARD, **options) -> PatientResult:
    """Segment a patient without some images."""
    root = write_valid_case(tmp_path / "data", "P-1")
    for role in ("seg", *missing):
        path_of(root, role, "P-1").unlink()
    (patient,) = segment(root, tmp_path / "out", segmenter, card, **options)
    return patient


@pytest.mark.parametrize(
    ("facts", "channels", "expected"),
    [
        (training(), ALL, True),
        (training(), ALL[:3], False),
        (training(0.1), ALL[:3], True),
        (training(0.1), ("t2",), True),
        (training(0.1), (), False),
        (training(1e-6), ALL[:3], False),
        (training(0.1, patches=(130,)), ALL[:3], False),
        (training(0.1, patches=(140,)), ALL[:3], True),
        (training(0.1, patches=(1,)), ALL, True),
        (training(sets=(ALL, ALL[:3])), ALL[:3], True),
        (training(sets=(ALL, ALL[:3])), ALL[:2], False),
        (training(0.1, sets=(ALL[:3],)), ALL, False),
        (training(sets=()), ALL, True),
        (training(sets=()), ALL[:3], False),
    ],
)
def test_a_model_is_trained_for_the_channels_of_its_cases_and_with_dropout_for_their_subsets(facts, channels, expected):
    assert facts.includes(channels) == expected


def test_a_patient_without_an_image_is_refused_if_the_model_needs_it(tmp_path, segmenter):
    patient = segment_without(tmp_path, segmenter, "t1", card=card_with())
    assert (patient.segmented, patient.problems) == (False, "missing_modality")
    assert patient.detail == (
        "T1 is missing: no file named P-1-t1n.nii.gz or P-1_t1.nii.gz is in its folder; add it. The model "
        "fold-0.safetensors was trained with T1, T1CE, T2 and FLAIR only, not with T1CE, T2 and FLAIR alone. A model "
        "that is trained with `training.channel_dropout` can do without some of its images"
    )
    assert not list((tmp_path / "out").iterdir())


def test_a_model_of_an_earlier_version_is_named_as_the_reason(tmp_path, segmenter):
    patient = segment_without(tmp_path, segmenter, "t1", card=card_with(sets=()))
    assert patient.problems == "missing_modality"
    assert "The model fold-0.safetensors is of an earlier version" in patient.detail
    assert "export it again with `snakemake verify`" in patient.detail


def test_a_patient_without_an_image_is_segmented_by_a_model_that_was_trained_for_it(tmp_path, segmenter):
    patient = segment_without(tmp_path, segmenter, "flair", card=card_with(0.1), scores=[SCORES])
    assert patient.segmented
    assert patient.warning_codes == ["fewer_channels"]
    assert patient.warning_messages == [
        "FLAIR is missing: the mask is made from T1, T1CE and T2 alone. Expected Dice, the mean of 12 cases with these "
        "images: WT 0.500, TC 0.500, ET 0.500; with all images: WT 0.800, TC 0.800, ET 0.800"
    ]
    assert patient.channels == ("t1", "t1ce", "t2")
    assert patient.expected_dice == WITHOUT_FLAIR.dice
    mask = mask_of(tmp_path / "out", "P-1")
    assert mask.shape == nibabel.load(path_of(tmp_path / "data", "t1", "P-1")).shape
    assert np.count_nonzero(np.asarray(mask.dataobj)) > 0
    assert (tmp_path / "out/P-1.png").is_file()


def test_the_network_sees_zeros_in_place_of_the_missing_image(tmp_path, segmenter, monkeypatch):
    seen, original = [], segmenter.predict
    monkeypatch.setattr(segmenter, "predict", lambda image, origin: seen.append(image) or original(image, origin))
    segment_without(tmp_path, segmenter, "t2", card=card_with(0.1))
    assert [bool(channel.any()) for channel in seen[0]] == [True, True, False, True]


def test_another_number_of_cases_with_all_images_is_named(tmp_path, segmenter):
    scores = [scores_of(score("t1 t1ce t2 flair", 9, 0.8), WITHOUT_FLAIR)]
    patient = segment_without(tmp_path, segmenter, "flair", card=card_with(0.1), scores=scores)
    assert "; with all images, 9 cases: WT 0.800" in patient.warning_messages[0]


@pytest.mark.parametrize("scores", [[None], [scores_of(COMPLETE)]])
def test_an_unknown_dice_is_said_to_be_unknown(tmp_path, segmenter, scores):
    patient = segment_without(tmp_path, segmenter, "t2", "flair", card=card_with(0.1), scores=scores)
    (message,) = patient.warning_messages
    assert message == (
        "T2 and FLAIR are missing: the mask is made from T1 and T1CE alone. What the model scores then is not known: "
        "it was not measured (evaluation.leave_out_modalities)"
    )
    assert patient.expected_dice == {}


def test_all_models_of_an_ensemble_must_be_trained_for_the_channels(tmp_path, segmenter):
    patient = segment_without(tmp_path, segmenter, "t1", card=[card_with(0.1), card_with(), card_with()])
    assert patient.problems == "missing_modality"
    assert "The model fold-1.safetensors was trained with" in patient.detail
    assert patient.detail.endswith(". 1 other model was not trained for these images either")


def test_too_few_patches_with_the_images_are_named_as_the_reason(tmp_path, segmenter):
    patient = segment_without(tmp_path, segmenter, "t1", card=card_with(0.1, patches=(40,)))
    assert patient.problems == "missing_modality"
    assert "fold-0.safetensors was trained with too few patches that show T1CE, T2 and FLAIR alone" in patient.detail
    assert ": 2.9 are expected, 10 are needed. Train it for longer" in patient.detail


def test_the_expected_dice_of_several_models_is_a_mean_of_their_scores(tmp_path, segmenter):
    cards, scores = [card_with(0.1)] * 2, [SCORES, SCORES]
    patient = segment_without(tmp_path, segmenter, "flair", card=cards, scores=scores)
    assert "mean of 24 scores of 2 models, each on its held-out cases with these images" in patient.warning_messages[0]


def test_a_dice_that_is_not_known_for_one_of_several_models_is_not_known(tmp_path, segmenter):
    cards, scores = [card_with(0.1)] * 2, [SCORES, None]
    patient = segment_without(tmp_path, segmenter, "flair", card=cards, scores=scores)
    assert patient.warning_messages[0].endswith(
        "What the models score then is not known for all models: it was not measured "
        "(evaluation.leave_out_modalities) for fold-1.safetensors"
    )


def test_no_setting_is_named_to_measure_the_dice_of_a_starter_model(tmp_path, segmenter):
    card = replace(card_with(0.1), starter_scores="Dice 0.5.")
    patient = segment_without(tmp_path, segmenter, "flair", card=card)
    (message,) = [message for message in patient.warning_messages if "FLAIR is missing" in message]
    assert message.endswith("What the model scores then is not known: it was not measured")


def test_a_dice_of_other_settings_of_the_prediction_is_marked(tmp_path, segmenter):
    scores = [scores_of(COMPLETE, WITHOUT_FLAIR, overlap=0.25, fill_holes=True, probabilities=True)]
    patient = segment_without(tmp_path, segmenter, "flair", card=card_with(0.1), scores=scores)
    assert patient.warning_messages[0].endswith(
        ". It was measured with other settings of `prediction` than this mask is made with: overlap, fill_holes"
    )


def test_a_file_that_is_not_understood_may_be_the_missing_image(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data", "P-1")
    path_of(root, "flair", "P-1").rename(root / "P-1/unknown name.nii.gz")
    (patient,) = segment(root, tmp_path / "out", segmenter, card_with(0.1))
    assert patient.problems == "missing_modality"
    assert "Found, but not understood: unknown name.nii.gz" in patient.detail
    assert patient.detail.endswith("To segment the patient without FLAIR, remove unknown name.nii.gz from the folder")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("P-1-t2f.nii.xz", "found P-1-t2f.nii.xz: convert it to .nii.gz"),
        ("P-1-t2f.zip", "extracting the archive P-1-t2f.zip"),
    ],
)
def test_an_image_in_another_form_is_not_left_out(tmp_path, segmenter, name, hint):
    root = write_valid_case(tmp_path / "data", "P-1")
    path_of(root, "flair", "P-1").rename(root / "P-1" / name)
    (patient,) = segment(root, tmp_path / "out", segmenter, card_with(0.1))
    assert patient.problems == "missing_modality"
    assert hint in patient.detail


def test_an_invalid_image_is_a_problem_whatever_is_missing(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data", "P-1")
    path_of(root, "t1", "P-1").unlink()
    path_of(root, "t2", "P-1").write_bytes(path_of(root, "t2", "P-1").read_bytes()[:-20])
    (patient,) = segment(root, tmp_path / "out", segmenter, card_with(0.1))
    assert patient.problems == "truncated"


def test_a_patient_without_any_image_is_refused(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data", "P-1")
    for role in ("t1", "t1ce", "t2"):
        path_of(root, role, "P-1").unlink()
    path_of(root, "flair", "P-1").rename(root / "P-1/x.nii.gz")
    (patient,) = segment(root, tmp_path / "out", segmenter, card_with(0.1))
    assert patient.problems == "missing_modality"


def test_an_image_that_no_training_case_had_is_refused(tmp_path, segmenter):
    root = write_valid_case(tmp_path / "data", "P-1")
    (patient,) = segment(root, tmp_path / "out", segmenter, card_with(0.1, sets=(ALL[:3],)))
    assert patient.problems == "untrained_channels"
    assert patient.detail == (
        "No training case of the model fold-0.safetensors had FLAIR (they had T1, T1CE and T2): remove "
        "P-1/P-1-t2f.nii.gz"
    )


def test_the_warning_is_in_the_table_in_the_record_and_on_the_terminal(tmp_path, segmenter):
    patient = segment_without(tmp_path, segmenter, "flair", card=card_with(0.1), scores=[SCORES])
    write_record(tmp_path / "record", [patient], {"models": []})
    assert read_records([tmp_path / "record"])[0] == [patient]
    recorded = json.loads((tmp_path / "record/patients.json").read_text())["patients"][0]
    assert (recorded["channels"], recorded["expected_dice"]["TC"]) == (["t1", "t1ce", "t2"], 0.5)
    table = tmp_path / "volumes.tsv"
    write_volume_table(table, [patient], TASK.structures)
    row = read_table(table).iloc[0]
    assert (row["channels"], row["warnings"]) == ("t1,t1ce,t2", "fewer_channels")
    assert "Expected Dice" in row["warning_messages"]
    assert segmentation_summary([patient], table, {"models": []})[0].startswith("WARNING: P-1: FLAIR is missing: ")


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "fold-0.safetensors"
    write_model(path, build(architecture()), model_card(architecture()))
    return path


def test_the_scores_of_a_model_are_those_of_the_file_beside_it(model):
    _, card = read_model(model)
    assert known_subset_scores(model, card) is None
    write_subset_scores(subset_scores_path(model), sha256(model), SCORES)
    assert known_subset_scores(model, card) == SCORES


def test_scores_of_another_model_are_not_used_and_named(model, caplog):
    write_subset_scores(subset_scores_path(model), "0" * 64, SCORES)
    assert known_subset_scores(model, read_model(model)[1]) is None
    assert f"{subset_scores_path(model)} has the scores of another model" in caplog.text


def test_the_scores_of_a_starter_model_are_in_its_card(tmp_path):
    card = model_card(architecture(), starter_scores="Dice 0.5.", subset_scores=SCORES)
    write_model(tmp_path / "starter.safetensors", build(architecture()), card)
    _, found = read_model(tmp_path / "starter.safetensors")
    assert found == card
    assert known_subset_scores(tmp_path / "starter.safetensors", found) == SCORES
