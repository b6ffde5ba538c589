"""Statistics of the training cases in a model."""

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
from tumorseg.networks.training_facts import Range, TrainingFacts, case_signature, training_facts


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


def test_the_brain_is_measured_in_voxels_of_the_network(tmp_path):
    case = validated_case(tmp_path, spacing=(1, 1, 4))
    facts = facts_of(case, target_mm=(2, 2, 2))
    assert facts.brain_voxels.median == pytest.approx(np.prod(np.array(SHAPE) - 4) / 2)
    assert [edge.median for edge in facts.spacing_mm] == [1, 1, 4]  # of the original grids


def test_a_training_case_without_a_validation_result_is_an_error(tmp_path):
    with pytest.raises(UserError, match="B: this training case has no validation result"):
        training_facts([validated_case(tmp_path, case="A")], ["A", "B"], task=TASK, demo=False, input_shape=[8, 8, 8])


def test_a_case_is_recognised_by_its_images_whatever_its_name_and_mask():
    signature = case_signature({"t1": "1", "flair": "2", "seg": "3"}, TASK)
    assert signature == case_signature({"flair": "2", "t1": "1", "seg": "4"}, TASK)
    assert signature != case_signature({"t1": "1", "flair": "3", "seg": "3"}, TASK)


def test_the_training_cases_and_those_of_the_model_before_are_recorded(tmp_path):
    results = [validated_case(tmp_path, case=name) for name in ("A", "B")]
    digests = {role: file["digest"] for role, file in results[0].facts["files"].items()}
    facts = facts_of(*results, earlier_signatures=["0" * 16])
    # A and B have the same images.
    assert facts.case_signatures == ("0" * 16, case_signature(digests, TASK))


def test_the_sets_of_channels_of_the_training_cases_are_recorded(tmp_path):
    complete = validated_case(tmp_path, case="A")
    files = {role: file for role, file in complete.facts["files"].items() if role != "t2"}
    without_t2 = replace(complete, case="B", facts={**complete.facts, "files": files})
    facts = facts_of(complete, without_t2, replace(without_t2, case="C"), channel_dropout=0.2)
    assert (facts.channel_dropout, facts.channel_sets) == (0.2, (TASK.channel_names, ("t1", "t1ce", "flair")))
    assert facts_of(without_t2).channel_sets == (("t1", "t1ce", "flair"),)
    assert facts_of(without_t2, synthetic_fraction=0.1).channel_sets == facts.channel_sets


def test_the_patches_of_each_set_of_channels_are_recorded(tmp_path):
    complete = validated_case(tmp_path, case="A")
    files = {role: file for role, file in complete.facts["files"].items() if role != "t2"}
    without_t2 = replace(complete, case="B", facts={**complete.facts, "files": files})
    assert facts_of(complete, without_t2, replace(without_t2, case="C"), patches=300).set_patches == (100, 200)
    assert facts_of(without_t2, patches=100, synthetic_fraction=0.25).set_patches == (25, 75)
    assert facts_of(complete, patches=100, synthetic_fraction=0.25).set_patches == (100,)


def patches_with(channels: str, **facts) -> float:
    return replace(trained_on(), channel_sets=(TASK.channel_names,), **facts).expected_patches(channels.split())


def test_the_expected_patches_follow_from_the_probability_of_channel_dropout():
    assert patches_with("t1 t2", channel_dropout=0.1, set_patches=(1000,)) == pytest.approx(1000 * 0.1**2 * 0.9**2)
    one = 0.1**3 * 0.9 + 0.1**4 / 4  # the last term: all were drawn, so that a random one stays
    assert patches_with("t1", channel_dropout=0.1, set_patches=(1000,)) == pytest.approx(1000 * one)
    assert patches_with("t1 t2", set_patches=(1000,)) == 0
    assert patches_with("", channel_dropout=1, set_patches=(1000,)) == 0


def test_patches_of_cases_that_lack_a_channel_do_not_count_for_it():
    sets = {"channel_sets": (TASK.channel_names, ("t1", "t2")), "set_patches": (100, 1000)}
    facts = replace(trained_on(), channel_dropout=0.5, **sets)
    assert facts.expected_patches(("t1", "flair")) == pytest.approx(100 / 16)
    assert facts.expected_patches(("t1", "t2")) == pytest.approx(100 / 16 + 1000 / 4)


def test_a_channel_without_brain_has_no_intensity_facts(tmp_path):
    root = write_valid_case(tmp_path)
    found = validated(root)
    blank = replace(found, facts={**found.facts, "intensities": {**found.facts["intensities"], "t2": {}}})
    assert facts_of(blank).intensities["t2"] == {}
