from dataclasses import replace

import numpy as np
import pytest

from tests.support.case_files import TASK, validated, write_valid_case
from tests.unit.networks.test_training_facts import facts_of, validated_case
from tumorseg.cohort.validation_result import ValidationResult
from tumorseg.networks.notices import ModelNotice
from tumorseg.networks.training_facts import Range, TrainingFacts
from tumorseg.segmentation.patient_warnings import new_patient_warnings, spacing_range_text


def codes(result: ValidationResult, training: TrainingFacts) -> list[str]:
    return [warning.code for warning in new_patient_warnings(result, training, TASK)]


def test_a_patient_like_the_training_cases_has_no_warning_whatever_its_axes(tmp_path):
    training = facts_of(validated_case(tmp_path / "a", spacing=(2.5, 2.5, 5)))
    assert codes(validated_case(tmp_path / "b", spacing=(2.5, 2.5, 5), axes="SAL"), training) == []


@pytest.mark.parametrize(
    ("spacing", "unlike"),
    [((2.5, 2.5, 2.5), False), ((2.3, 2.7, 2.5), False), ((1, 1, 1), True), ((2.5, 2.5, 5), True)],
)
def test_spacing_is_compared_axis_by_axis(tmp_path, spacing, unlike):
    training = facts_of(validated_case(tmp_path / "a", spacing=(2.5, 2.5, 2.5)))
    assert codes(validated_case(tmp_path / "b", spacing=spacing), training) == ["spacing_unlike_training"] * unlike


def test_the_warning_names_both_spacings_and_the_remedy(tmp_path):
    training = facts_of(validated_case(tmp_path / "a", spacing=(2.5, 2.5, 2.5)))
    (warning,) = new_patient_warnings(validated_case(tmp_path / "b", spacing=(1, 1, 5)), training, TASK)
    assert warning.message.startswith("voxels are 1 x 1 x 5 mm; the model was trained on voxels of 2.5 mm: resample")


def test_a_range_of_spacings_is_formatted_as_a_range(tmp_path):
    training = facts_of(validated_case(tmp_path, case="A"), validated_case(tmp_path, case="B", spacing=(1, 1, 3)))
    assert spacing_range_text(training) == "1 to 1 x 1 x 3 mm"


def test_the_unit_of_intensity_does_not_matter(tmp_path):
    training = facts_of(validated_case(tmp_path / "a"))
    assert codes(validated_case(tmp_path / "b", change=lambda voxels: 7.5 * voxels), training) == []


@pytest.mark.parametrize(
    "change",
    [lambda voxels: voxels**6 / 1e12, lambda voxels: np.where(voxels > 0, 1.1 - (voxels / 1000) ** 6, 0)],
)
def test_another_intensity_distribution_is_a_warning(tmp_path, change):
    training = facts_of(validated_case(tmp_path / "a"))
    assert "intensities_unlike_training" in codes(validated_case(tmp_path / "b", change=change), training)


@pytest.mark.parametrize("facts", [dict.fromkeys(("min", "p01", "median", "p99", "max"), 1.0), {}])
def test_a_channel_with_a_single_value_in_the_brain_is_a_warning(tmp_path, facts):
    """For instance a brain mask with the file name of an image."""
    found = validated_case(tmp_path)
    patient = replace(found, facts={**found.facts, "intensities": {**found.facts["intensities"], "t1": facts}})
    (warning,) = new_patient_warnings(patient, facts_of(found), TASK)
    assert warning.code == "intensities_unlike_training"
    assert "in T1 (the brain has at most one value): check" in warning.message


def test_a_missing_image_is_not_another_intensity_distribution(tmp_path):
    found = validated_case(tmp_path)
    facts = {key: {**found.facts[key]} for key in ("files", "intensities")}
    for values in facts.values():
        del values["t1"]
    assert codes(replace(found, facts={**found.facts, **facts}), facts_of(found)) == []


@pytest.mark.parametrize("background", [2, -32768])
def test_another_background_is_not_another_intensity_distribution(tmp_path, background):
    training = facts_of(validated_case(tmp_path / "a"))
    patient = validated_case(tmp_path / "b", change=lambda voxels: np.where(voxels > 0, voxels, background))
    assert set(codes(patient, training)) <= {"background_not_zero", "negative_intensities"}


def test_a_brain_of_far_more_or_fewer_voxels_is_a_warning(tmp_path):
    patient = validated_case(tmp_path)
    training = facts_of(patient)
    for factor, unlike in ((1.0, False), (3.5, False), (4.5, True), (0.2, True)):
        voxels = factor * training.brain_voxels.median
        other = replace(training, brain_voxels=Range(voxels, voxels, voxels))
        assert codes(patient, other) == ["brain_size_unlike_training"] * unlike


@pytest.mark.parametrize(
    ("spacing", "unlike"),
    [((1, 1, 1), False), ((2, 2, 2), False), ((0.5, 0.5, 2.1), False), ((1, 1, 5), True), ((2.5, 1, 1), True)],
)
def test_a_patient_that_is_resampled_gets_a_warning_only_if_its_voxels_lack_detail(tmp_path, spacing, unlike):
    training = facts_of(validated_case(tmp_path / "a"), target_mm=(2, 2, 2))
    patient = validated_case(tmp_path / "b", spacing=spacing)
    found = [
        warning for warning in new_patient_warnings(patient, training, TASK, (2, 2, 2)) if "spacing" in warning.code
    ]
    assert [warning.code for warning in found] == ["spacing_unlike_training"] * unlike
    if unlike:
        assert "coarser than in the training (1 mm, resampled to 2 mm), so the mask lacks detail" in found[0].message


def test_brains_are_compared_in_voxels_of_the_network(tmp_path):
    training = facts_of(validated_case(tmp_path / "a", spacing=(2, 2, 2)), target_mm=(2, 2, 2))
    patient = validated_case(tmp_path / "b", spacing=(1, 1, 1))
    codes_found = [warning.code for warning in new_patient_warnings(patient, training, TASK, (2, 2, 2))]
    assert codes_found == ["brain_size_unlike_training"]  # the same voxels, but an eighth of the volume


def test_the_notice_of_the_model_comes_first_and_spacing_is_compared_with_the_training_cases_only(tmp_path):
    patient = validated_case(
        tmp_path, spacing=(2, 2, 2), change=lambda voxels: np.where(voxels == voxels.max(), -1, voxels)
    )
    assert patient.warnings[0].code == "non_unit_spacing"
    notices = [ModelNotice("starter_model", "STARTER", "Dice 0.5.")]
    found = new_patient_warnings(patient, facts_of(patient), TASK, None, notices)
    assert [warning.code for warning in found] == ["starter_model", *["negative_intensities"] * 4]
    assert found[0].message == "STARTER. Dice 0.5."


def test_a_channel_without_brain_in_the_training_is_not_compared(tmp_path):
    root = write_valid_case(tmp_path)
    found = validated(root)
    blank = replace(found, facts={**found.facts, "intensities": {**found.facts["intensities"], "t2": {}}})
    assert codes(found, facts_of(blank)) == []
