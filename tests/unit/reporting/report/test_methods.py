"""The methods section of the report describes the settings of the run, and nothing that it did not do."""

import copy
import re
from dataclasses import replace

import pytest

from tests.unit.cohort.test_overview import TASK
from tests.unit.reporting.report.test_content import CONFIGURATION, manifest_row, report_content
from tumorseg.reporting.report.methods import describe_methods
from tumorseg.reporting.report.references import REFERENCES

VERSIONS = {"Python": "3.11.7", "torch": "2.13.0", "pandas": "3.1.1"}


def methods(**changes):
    configuration = copy.deepcopy(CONFIGURATION)
    for section, values in changes.items():
        configuration[section] |= values
    return describe_methods(report_content(), configuration, TASK, VERSIONS)


def text(**changes):
    return "\n".join(methods(**changes).paragraphs)


def test_the_text_has_the_numbers_of_the_run():
    found = text()
    assert found.startswith("Of 3 cases, 3 from 2 patients passed an automatic check")
    assert "3 down-samplings by max pooling, 32 channels at the first level" in found
    assert "for 3 epochs of one pass over the training cases, 1 volume of 240x240x160 voxels a step" in found
    assert "(tumorseg; Python 3.11.7 and torch 2.13.0)" in found


def test_citations_are_numbered_in_their_order_and_each_is_listed():
    found = methods(model={"norm": "instance"})
    numbers = [int(number) for paragraph in found.paragraphs for number in re.findall(r"\[(\d+)\]", paragraph)]
    assert list(dict.fromkeys(numbers)) == list(range(1, len(found.references) + 1))
    assert "ulyanov2016" in [reference.key for reference in found.references]
    assert "ioffe2015" not in [reference.key for reference in found.references]


@pytest.mark.parametrize(
    ("section", "values", "sentence"),
    [
        ("normalisation", {"spacing_mm": 2}, "resampled to voxels of 2 mm"),
        ("normalisation", {"spacing_mm": [1, 1, 3]}, "resampled to voxels of 1 x 1 x 3 mm"),
        ("model", {"deep_supervision": True}, "coarser levels of the decoder were supervised"),
        ("model", {"name": "residual_unet"}, "with residual blocks"),
        ("training", {"start_from": "starter"}, "from a trained model"),
        ("training", {"weight_decay": 0.01}, "AdamW"),
        ("training", {"augmentation": ["flip", "noise"]}, "Random augmentation: flip and noise."),
        ("training", {"channel_dropout": 0.1}, "left out at random with a probability of 0.1"),
        ("training", {"synthetic_fraction": 0.5}, "50 % of the volumes were from synthetic cases"),
        ("training", {"ema_decay": 0.99}, "exponential moving average"),
        ("training", {"schedule": "cosine", "warmup_epochs": 2}, "cosine schedule of the learning rate from 0.001"),
        ("training", {"foreground_fraction": 0.33}, "33 % of the volumes were placed around a tumour voxel"),
        ("training", {"dice_absent": "ignore"}, "that occur in the batch"),
        ("training", {"cross_entropy_weights": {"label_1": 3}}, "weighted cross-entropy"),
        ("checkpoint", {"select": "best"}, "the best (by validation Dice) valid one"),
        ("prediction", {"test_time_mirroring": True}, "averaged over the eight mirror images"),
        ("prediction", {"remove_components": {"WT": 500, "ET": 0}}, "components of WT below 500 mm³ were removed"),
        ("prediction", {"min_enhancing_mm3": 50}, "became necrotic core"),
        ("prediction", {"fill_holes": True}, "Holes were filled."),
        ("cohort", {"folds": 5}, "5-fold cross-validation"),
        ("cohort", {"prepare": "full"}, "Images were registered rigidly to one image of the case with greedy"),
        ("cohort", {"prepare": "auto"}, "Images that were not prepared yet were registered"),
    ],
)
def test_a_setting_is_mentioned_only_if_it_is_used(section, values, sentence):
    assert sentence not in text()
    assert sentence in text(**{section: values})


def test_cases_excluded_by_hand_did_not_fail_a_check():
    content = report_content(rows=(manifest_row("d", problems="excluded", detail="twins"),))
    first = describe_methods(content, CONFIGURATION, TASK, VERSIONS).paragraphs[0]
    assert first.startswith("1 case was excluded by hand. Of 3 other cases, 3 from")


def test_images_of_the_whole_head_have_no_brain():
    found = describe_methods(report_content(), CONFIGURATION, replace(TASK, whole_head=True), VERSIONS)
    assert "brain" not in " ".join(found.paragraphs)


def test_the_bibtex_file_has_the_cited_publications():
    found = methods()
    entries = re.findall(r"^@(\w+)\{(\w+),", found.bibtex(), re.MULTILINE)
    assert [key for _, key in entries] == [reference.key for reference in found.references]
    assert "  doi = {10.1109/3DV.2016.79}," in REFERENCES["milletari2016"].bibtex()
    assert "  eprint = {1412.6980}," in REFERENCES["kingma2015"].bibtex()


def test_every_publication_has_a_key_with_its_year():
    assert all(key.endswith(str(reference.year)) for key, reference in REFERENCES.items())
