"""Failed, doubtful and partial registrations."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.heads import moved, other_contrast, rigid, small_atlas
from tumorseg.preparation.issue_codes import PREPARATION_PROBLEMS, PREPARATION_WARNINGS
from tumorseg.preparation.registration_checks import judge_atlas_registration, judge_coregistration, judge_coverage
from tumorseg.preparation.registration_quality import RegistrationQuality, measure_registration
from tumorseg.preparation.sampling import Image

RIGHT = RegistrationQuality(0.02, 0.06, 2.5, 0.5, 0.95, 1.0, 12.0, 15.0)


def codes(judgement) -> tuple[list[str], list[str]]:
    problems, warnings = judgement
    assert all(issue.code in PREPARATION_PROBLEMS for issue in problems)
    assert all(issue.code in PREPARATION_WARNINGS for issue in warnings)
    return [issue.code for issue in problems], [issue.code for issue in warnings]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ([], [])),
        ({"edges": 0.1}, (["registration_failed"], [])),
        ({"edges": 0.25}, ([], ["registration_doubtful"])),
        ({"sharpness": 1.1}, ([], ["registration_doubtful"])),
        ({"information": 0.01, "shift_mm": 3.0}, ([], ["registration_doubtful"])),
        ({"information": 0.01, "shift_mm": 0.3, "rotation_degrees": 0.2}, ([], [])),
    ],
)
def test_a_channel_is_judged_by_edges_sharpness_and_information(changes, expected):
    assert codes(judge_coregistration(replace(RIGHT, **changes), "T2", "T1CE", "P1")) == expected


@pytest.mark.parametrize(
    ("changes", "outside", "shown", "expected"),
    [
        ({}, 0.0, 0.97, ([], [])),
        ({"head_overlap": 0.6}, 0.0, 0.97, (["registration_failed"], [])),
        ({"sharpness": 1.0}, 0.0, 0.97, (["registration_failed"], [])),
        ({"sharpness": 1.3}, 0.0, 0.97, ([], ["registration_doubtful"])),
        ({"head_overlap": 0.75}, 0.0, 0.97, ([], ["registration_doubtful"])),
        ({}, 0.0, 0.5, ([], ["partial_field_of_view"])),
        ({}, 0.2, 0.97, ([], ["partial_field_of_view"])),
    ],
)
def test_a_brain_is_judged_by_its_overlap_with_the_atlas(changes, outside, shown, expected):
    assert codes(judge_atlas_registration(replace(RIGHT, **changes), outside, shown, "T1CE", "P1")) == expected


def test_a_channel_that_shows_half_of_the_brain_has_a_warning():
    assert [issue.code for issue in judge_coverage(0.5, "T2", "P1")] == ["partial_field_of_view"]
    assert judge_coverage(0.99, "T2", "P1") == ()


def test_a_misplaced_image_has_less_sharpness_and_fewer_common_edges():
    fixed = small_atlas().image
    true = rigid(10, (5, 5, 5))
    moving = moved(other_contrast(fixed), true)
    right = measure_registration(fixed, moving, true)
    wrong = measure_registration(fixed, moving, true @ rigid(10, (10, 0, 0)))
    assert right.edges > 0.8 > wrong.edges
    assert right.sharpness > 2 * wrong.sharpness
    assert right.head_overlap > 0.95 > wrong.head_overlap
    assert right.rotation_degrees == pytest.approx(10)


def test_the_shown_part_and_the_shift_are_measured():
    fixed = small_atlas().image
    shift = np.eye(4)
    shift[0, 3] = 30
    half = Image(fixed.array[:, :, : fixed.shape[2] // 2], shift @ fixed.affine)
    quality = measure_registration(fixed, half, shift)
    assert 0.3 < quality.shown < 0.8
    assert quality.shift_mm == pytest.approx(30)
    assert quality.rotation_degrees == 0


def test_images_of_one_value_are_measured_without_error():
    fixed = small_atlas().image
    quality = measure_registration(fixed, Image(np.zeros(fixed.shape), fixed.affine), np.eye(4))
    assert (quality.edges, quality.information) == (0, 0)
