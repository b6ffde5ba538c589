"""Statistics of the training cases in a model, and warnings about patients that differ from them."""

from dataclasses import replace

import nibabel
import numpy as np
import pytest

from tests.support.builders import trained_on
from tests.support.case_files import AFFINE, SHAPE, SUFFIXES, TASK, image, mask, validated, write_valid_case
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.validation_result import ValidationResult
from tumorseg.errors import UserError
from tumorseg.io.nifti import write_nifti
from tumorseg.networks.training_facts import Range, TrainingFacts, training_facts
from tumorseg.segmentation.models import merge_training_facts
from tumorseg.segmentation.patient_warnings import new_patient_warnings, spacing_range_text


def validated_case(
    root, *, spacing=(1, 1, 1), change=lambda voxels: voxels, axes="LPS", case="P-1"
) -> ValidationResult:
    """Validate a case of noise with voxel edges `spacing` in mm and intensities changed by `change`."""
    for role, suffix in SUFFIXES.items():
        voxels = mask() if role == "seg" else change(image(role).astype(np.float32))
        whole = nibabel.Nifti1Image(voxels, AFFINE @ np.diag([*spacing, 1]))
        start = nibabel.orientations.io_orientation(whole.affine)
        turn = nibabel.orientations.ornt_transform(start, nibabel.orientations.axcodes2ornt(axes))
        whole = whole.as_reoriented(turn)
        write_nifti(root / case / f"{case}-{suffix}.nii.gz", np.asarray(whole.dataobj), whole.affine)
    (files,) = [files for files in discover_cases(root, TASK) if files.case == case]
    return validate_case(root, files, task=TASK, shape=None, labels="auto", with_mask=False)[0]


def facts_of(*results: ValidationResult, **changes) -> TrainingFacts:
    settings = {"demo": False, "input_shape": [16, 16, 16], "task": TASK} | changes
    return training_facts(results, [result.case for result in results], **settings)


def codes(result: ValidationResult, training: TrainingFacts) -> list[str]:
    return [warning.code for warning in new_patient_warnings(result, training, TASK)]


def test_training_facts_are_ranges_over_the_training_cases(tmp_path):
    one = validated_case(tmp_path, case="A", spacing=(1, 1, 1))
    other = validated_case(tmp_path, case="B", spacing=(1, 1, 3))
    third = validated_case(tmp_path, case="C", spacing=(1, 1, 2))
    facts = facts_of(one, other, third, demo=True)
    assert (facts.cases, facts.demo, facts.channels, facts.input_shape) == (3, True, TASK.channel_names, (16, 16, 16))
    assert facts.spacing_mm == (Range(1, 1, 1), Range(1, 1, 1), Range(1, 2, 3))
    assert [side.median for side in facts.shape] == list(SHAPE)
    assert facts.brain_voxels.median == np.prod(np.array(SHAPE) - 4)  # the border is background
    assert 0.4 < facts.intensities["t1"]["median_position"].median < 0.6


def test_training_facts_use_the_axes_of_the_network_and_the_training_cases_only(tmp_path):
    turned = validated_case(tmp_path, case="A", spacing=(1, 2, 3), axes="SAL")
    held_out = validated_case(tmp_path, case="B", spacing=(9, 9, 9))
    facts = training_facts([turned, held_out], ["A"], task=TASK, demo=False, input_shape=[8, 8, 8])
    assert [edge.high for edge in facts.spacing_mm] == [1, 2, 3]
    assert [side.high for side in facts.shape] == list(SHAPE)


def test_a_training_case_without_a_validation_result_is_an_error(tmp_path):
    with pytest.raises(UserError, match="B: this training case has no validation result"):
        training_facts([validated_case(tmp_path, case="A")], ["A", "B"], task=TASK, demo=False, input_shape=[8, 8, 8])


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


def test_the_demo_warning_comes_first_and_spacing_is_compared_with_the_training_cases_only(tmp_path):
    patient = validated_case(
        tmp_path, spacing=(2, 2, 2), change=lambda voxels: np.where(voxels == voxels.max(), -1, voxels)
    )
    assert patient.warnings[0].code == "non_unit_spacing"
    found = codes(patient, replace(facts_of(patient), demo=True))
    assert found == ["demonstration_model", *["negative_intensities"] * 4]


def test_the_facts_of_several_models_are_merged_to_the_widest_ranges():
    one, other = trained_on((1, 1, 1)), trained_on((1.05, 1, 1), demo=True)
    both = merge_training_facts([one, other])
    assert both.demo
    assert both.spacing_mm[0] == Range(1, 1.025, 1.05)
    assert both.intensities["t2"] == one.intensities["t2"]
    assert merge_training_facts([one]) == one


def test_a_channel_without_brain_has_no_intensity_facts(tmp_path):
    root = write_valid_case(tmp_path)
    found = validated(root)
    blank = replace(found, facts={**found.facts, "intensities": {**found.facts["intensities"], "t2": {}}})
    assert facts_of(blank).intensities["t2"] == {}
    assert codes(found, facts_of(blank)) == []
