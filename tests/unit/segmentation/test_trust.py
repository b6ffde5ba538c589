"""How far to trust the mask of a new patient."""

from dataclasses import replace

import pytest

from tests.support.builders import TASK, architecture, model_card
from tests.support.held_out import SETTINGS, held_out_cases
from tumorseg.metrics.mask_quality import MaskQuality
from tumorseg.segmentation.results import PatientResult, trust_lines
from tumorseg.segmentation.trust import Trust, judge_mask, with_trust
from tumorseg.segmentation.used_model import UsedModel

CARD = model_card(architecture())


def model(held_out=None, **changes) -> UsedModel:
    return UsedModel("fold-0.safetensors", replace(CARD, **changes), held_out=held_out)


def judge(*models, soft_dice=0.8, mm3=30_000.0, masks_mm3=(30_000.0,), agreement=None, warnings=(), **changes) -> Trust:
    """Judge a patient in whom all structures have the same values. masks_mm3: volume in the mask of each model."""
    quality = [MaskQuality(soft_dice, volume, volume, agreement) for volume in masks_mm3]
    options = {"channels": TASK.channel_names, "prediction": SETTINGS} | changes
    return judge_mask(
        dict.fromkeys(TASK.structures, mm3),
        [dict.fromkeys(TASK.structures, one) for one in quality],
        warnings=warnings,
        models=models,
        task=TASK,
        **options,
    )


def test_a_usual_patient_has_an_expected_dice_and_intervals_and_needs_no_look():
    trust = judge(model(held_out_cases()))
    assert trust.expected_dice == pytest.approx(dict.fromkeys(TASK.structures, 0.7))
    low, high = trust.volume_intervals["ET"]
    assert low < 30_000 < high < 60_000
    assert (trust.attention, trust.without_interval) == ((), "")


def test_a_mask_that_the_network_is_less_certain_of_is_worth_a_look():
    trust = judge(model(held_out_cases()), soft_dice=0.45)
    assert trust.attention[0] == "the expected Dice of WT is 0.40, below that of 9 of 10 held-out cases (0.44)"


@pytest.mark.parametrize(("mm3", "flagged"), [(80_000.0, False), (100_000.0, True), (7_000.0, False), (2_000.0, True)])
def test_volumes_far_outside_the_held_out_cases_are_worth_a_look(mm3, flagged):
    attention = judge(model(held_out_cases()), mm3=mm3, masks_mm3=[mm3]).attention
    text = f"WT has {mm3 / 1000:.1f} ml, the held-out cases 10.0 to 60.0 ml"
    assert (text in attention) == flagged


def test_warnings_about_unlike_images_are_a_reason_with_and_without_held_out_cases():
    warnings = ("intensities_unlike_training", "trailing_bytes")
    for held_out in (held_out_cases(), None):
        assert judge(model(held_out), warnings=warnings).attention == ("warning intensities_unlike_training",)


def test_models_that_disagree_are_worth_a_look_and_widen_the_interval():
    models = model(held_out_cases()), model(held_out_cases(), split="ef" * 32)
    agreeing = judge(*models, masks_mm3=(30_000.0, 30_000.0), agreement=0.9)
    disagreeing = judge(*models, masks_mm3=(15_000.0, 60_000.0), agreement=0.3)
    assert agreeing.attention == ()
    assert disagreeing.attention[0].startswith("the models disagree on WT: a single model and all together have a Dice")
    (low, high), (wider_low, wider_high) = (trust.volume_intervals["WT"] for trust in (agreeing, disagreeing))
    assert wider_low < low
    assert high < wider_high


@pytest.mark.parametrize(
    ("held_out", "changes", "reason"),
    [
        (None, {}, "there is no file fold-0.reliability.json; copy it together with the model"),
        (held_out_cases(8), {}, "8 held-out patients had the same images; 9 are needed for an interval of 90 %"),
        (held_out_cases(), {"channels": ("t1", "t2")}, "0 held-out patients had the same images"),
        (held_out_cases(), {"prediction": {"fill_holes": True}}, "other settings of `prediction`: fill_holes"),
    ],
)
def test_without_comparable_held_out_cases_nothing_is_claimed_and_the_reason_is_given(held_out, changes, reason):
    trust = judge(model(held_out), **changes)
    assert (trust.expected_dice, trust.volume_intervals) == ({}, {})
    assert reason in trust.without_interval


def test_one_model_without_held_out_cases_is_enough_to_claim_nothing():
    trust = judge(model(held_out_cases()), model(), masks_mm3=(3e4, 3e4))
    assert trust.volume_intervals == {}
    starter = judge(model(starter_scores="scores"))
    assert starter.without_interval == "the held-out cases of the starter model are not known"


def test_the_mean_for_missing_images_stays_if_nothing_better_is_known():
    patient = PatientResult("P", expected_dice={"WT": 0.5})
    assert with_trust(patient, Trust(), []).expected_dice == {"WT": 0.5}
    assert with_trust(patient, Trust({"WT": 0.7}), []).expected_dice == {"WT": 0.7}


def test_the_lines_name_the_intervals_and_the_expected_dice():
    patient = PatientResult("P", expected_dice={"WT": 0.71, "TC": 0.5}, volume_intervals={"WT": (900.0, 12_340.0)})
    assert trust_lines(patient, ["WT", "TC"]) == [
        "90 % intervals of the volumes: WT 0.9 to 12.3 ml",
        "Expected Dice: WT 0.71, TC 0.50",
    ]
    assert trust_lines(PatientResult("P"), ["WT"]) == []
