import numpy as np
import pytest

from tumorseg.synthetic.case import synthetic_case
from tumorseg.task import load_task

SETTINGS = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 2, "spacing_mm": 8}
TASK = load_task()


def make(index, seed=3, task=TASK, **changes):
    return synthetic_case({**SETTINGS, **changes}, task, seed, index)


@pytest.fixture(scope="module")
def cases():
    return [make(index) for index in range(24)]


def test_equal_arguments_give_equal_cases(cases):
    again = make(5)
    np.testing.assert_array_equal(again.image, cases[5].image)
    np.testing.assert_array_equal(again.mask, cases[5].mask)
    assert again.origin == cases[5].origin


@pytest.mark.parametrize("change", [{"seed": 4}, {"index": 6}])
def test_another_seed_or_number_gives_another_case(cases, change):
    other = make(**{"index": 5, **change})
    assert other.image.shape != cases[5].image.shape or (other.image != cases[5].image).any()


def test_a_case_has_the_form_of_a_normalised_case(cases):
    for case in cases:
        assert (case.image.dtype, case.mask.dtype) == (np.float16, np.uint8)
        assert case.image.shape == (4, *case.mask.shape)
        assert np.isfinite(case.image).all()


def test_each_channel_is_normalised_over_its_own_voxels(cases):
    for case in cases:
        for channel in case.image.astype(np.float64):
            inside = channel[channel != 0]
            assert abs(inside.mean()) < 0.02
            assert abs(inside.std() - 1) < 0.02


def test_background_is_exactly_zero_all_around(cases):
    outside = np.stack([case.image[:, :1].any() for case in cases])
    assert not outside.any()
    assert all(0.3 < (case.image == 0).all(axis=0).mean() < 0.85 for case in cases)


def test_masks_have_only_labels_of_the_task_and_every_case_has_a_tumour(cases):
    assert all(set(np.unique(case.mask)) <= {0, *TASK.label_values} for case in cases)
    assert all(case.mask.any() for case in cases)
    assert {label for case in cases for label in np.unique(case.mask)} == {0, 1, 2, 4}


def test_tumours_lie_in_the_brain(cases):
    for case in cases:
        assert case.image[:, case.mask > 0].any(axis=0).mean() > 0.99


def test_volumes_are_those_of_real_cohorts(cases):
    """BraTS 2021: whole tumours of about 10 to 250 ml with a median of 90 ml, in brains of 1.2 to 1.8 l."""
    ml = 8**3 / 1000
    tumours = np.array([np.count_nonzero(case.mask) * ml for case in cases])
    brains = np.array([np.count_nonzero(case.image.any(axis=0)) * ml for case in cases])
    assert 40 < np.median(tumours) < 150
    assert tumours.max() < 300
    assert 1200 < np.median(brains) < 1900
    assert (brains > 900).all()


def test_enhancing_tumour_is_bright_after_contrast_agent(cases):
    differences = []
    for case in cases:
        healthy = (case.mask == 0) & case.image[:2].all(axis=0)
        enhancing = (case.mask == 4) & case.image[:2].all(axis=0)
        if enhancing.sum() > 3:
            t1, t1ce = (channel[enhancing].mean() - channel[healthy].mean() for channel in case.image[:2])
            differences.append(t1ce - t1)
    assert np.mean(np.array(differences) > 0) > 0.8


def test_oedema_is_bright_on_flair(cases):
    bright = [np.median(case.image[3][case.mask == 2]) > 0 for case in cases if (case.mask == 2).sum() > 5]
    assert np.mean(bright) > 0.8


def test_the_origin_has_no_files_and_the_settings_with_three_edges(cases):
    origin = cases[0].origin
    assert origin.case == "synthetic-3-000000"
    assert origin.files == {}
    assert origin.settings == {**SETTINGS, "spacing_mm": [8.0, 8.0, 8.0]}
    assert origin.voxel_mm3 == 512
    assert tuple(stop - start for start, stop in origin.crop) == cases[0].mask.shape


def test_channels_follow_the_order_of_the_task(cases):
    decathlon = load_task("decathlon-brain-tumour")
    assert decathlon.channel_names[0] == "flair"
    other = make(5, task=decathlon)
    np.testing.assert_array_equal(other.mask > 0, cases[5].mask > 0)
    assert set(np.unique(other.mask)) <= {0, 1, 2, 3}


def test_a_task_with_cavities_gets_cavities():
    task = load_task("brats-glioma-post-treatment")
    assert any((make(index, task=task).mask == 4).any() for index in range(6))
