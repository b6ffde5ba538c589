"""The file with the held-out cases of a model."""

import json

import pytest

from tests.support.builders import TASK
from tests.support.held_out import SETTINGS, held_out_case, held_out_cases
from tumorseg.errors import UserError
from tumorseg.networks.held_out_quality import (
    HeldOutCases,
    cases_of_structure,
    read_held_out_cases,
    reliability_path,
    write_held_out_cases,
)

DIGEST = "a" * 64
CASES = held_out_cases(3)


@pytest.fixture
def path(tmp_path):
    path = reliability_path(tmp_path / "fold-0.safetensors")
    write_held_out_cases(path, DIGEST, CASES)
    return path


def test_the_file_is_beside_the_model_and_is_read_as_it_was_written(path):
    assert path.name == "fold-0.reliability.json"
    assert read_held_out_cases(path, DIGEST, TASK) == CASES


def test_the_file_of_another_model_is_not_used(path):
    assert read_held_out_cases(path, "b" * 64, TASK) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content.update(format=0), "not the held-out cases of a model; delete the file"),
        (lambda content: content.pop("cases"), "the held-out cases are corrupted"),
        (lambda content: content.update(prediction=[]), "prediction"),
        (lambda content: content["cases"][0].update(patient="Smith"), r"cases\[0\]\.patient"),
        (lambda content: content["cases"][0]["structures"]["WT"].update(dice=1.5), r"WT\.dice: 1\.5 is not allowed"),
        (lambda content: content["cases"][0]["structures"]["WT"].update(mask_mm3=-1), r"WT\.mask_mm3: -1 is not"),
        (lambda content: content["cases"][0]["structures"].pop("ET"), r"structures\.ET: this key is missing"),
        (lambda content: content["cases"][2].update(channels=["t2", "t1"]), "in this order"),
    ],
)
def test_a_corrupted_file_is_refused(path, change, words):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=f"{path}: .*{words}"):
        read_held_out_cases(path, DIGEST, TASK)


def test_only_settings_that_change_masks_are_compared():
    assert CASES.other_settings(SETTINGS | {"probabilities": True}) == []
    assert CASES.other_settings(SETTINGS | {"test_time_mirroring": True}) == ["test_time_mirroring"]


def test_only_cases_with_the_same_images_count():
    cases = HeldOutCases((held_out_case(0), held_out_case(1, channels=("t1", "t2"))), SETTINGS)
    found = cases_of_structure([("split", cases)], "WT", ("t1", "t2"))
    assert [case.patient for case in found[0]] == [("split", 1)]


def test_patients_of_two_models_of_one_split_are_the_same():
    models = [(split, held_out_cases(3)) for split in ("one", "one", "other")]
    patients = [[case.patient for case in cases] for cases in cases_of_structure(models, "TC", TASK.channel_names)]
    assert patients[0] == patients[1]
    assert not set(patients[0]) & set(patients[2])
