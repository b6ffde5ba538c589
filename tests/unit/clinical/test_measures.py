"""The measures of masks of every task."""

import json

import numpy as np
import pytest

from tests.support.builders import TASK
from tests.support.shapes import SHAPE, ellipsoid, grid, rotated
from tumorseg.clinical.measures import (
    ClinicalMeasures,
    diameter_measures,
    measure_mask,
    measure_warnings,
    measured_regions,
    volume_measures,
)
from tumorseg.task import built_in_tasks, load_task

AFFINE = grid()


def glioma(*centres_mm, diameter_mm=14.0):
    """Return a mask with a large oedema and enhancing spheres with a necrotic centre."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[ellipsoid([50, 40, 30], AFFINE)] = 2
    for centre in centres_mm:
        mask[ellipsoid([diameter_mm] * 3, AFFINE, centre_mm=centre)] = 4
        mask[ellipsoid([8] * 3, AFFINE, centre_mm=centre)] = 1
    return mask


def numbers(measures, task=TASK):
    found = (*volume_measures(task), *diameter_measures(task))
    return {measure.name: measure.number(measures) for measure in found}


def test_volumes_are_voxels_times_their_size():
    mask = glioma((0, 0, 0))
    affine = rotated(grid((0.5, 0.5, 5.0)), 20, (1, 2))
    volumes = measure_mask(mask, affine, TASK).volumes_ml
    for structure, labels in TASK.structures.items():
        assert volumes[structure] == pytest.approx(np.isin(mask, labels).sum() * 1.25 / 1000)


def test_a_solid_core_with_necrosis_is_larger_than_its_enhancing_rim():
    found = numbers(measure_mask(glioma((0, 0, 0)), AFFINE, TASK))
    assert found["TC_diameter_mm"] == pytest.approx(14, abs=1)
    assert found["WT_diameter_mm"] == pytest.approx(50, abs=1)
    assert found["WT_perpendicular_mm"] == pytest.approx(40, abs=1)
    assert found["enhancing_diameter_mm"] < 13


def test_products_of_at_most_three_lesions_are_summed():
    mask = np.zeros(SHAPE, np.uint8)
    for centre in [(-18, -18, 0), (18, -18, 0), (-18, 18, 0), (18, 18, 0)]:
        mask[ellipsoid([12, 12, 12], AFFINE, centre_mm=centre)] = 4
    measures = measure_mask(mask, AFFINE, TASK)
    found = numbers(measures)
    assert (found["enhancing_lesions"], found["enhancing_measurable"]) == (4, 4)
    assert measures.sum_of_products_mm2 == pytest.approx(3 * measures.lesions["enhancing"].largest.product_mm2)


def test_a_lesion_that_is_too_small_has_diameters_but_adds_nothing():
    mask = np.zeros(SHAPE, np.uint8)
    mask[ellipsoid([6, 6, 6], AFFINE)] = 4
    found = numbers(measure_mask(mask, AFFINE, TASK))
    assert (found["enhancing_lesions"], found["enhancing_measurable"], found["enhancing_sum_mm2"]) == (1, 0, 0)
    assert found["enhancing_diameter_mm"] == pytest.approx(6, abs=1)


def test_an_empty_mask_has_volumes_of_zero_and_no_diameters():
    found = numbers(measure_mask(np.zeros(SHAPE, np.uint8), AFFINE, TASK))
    assert (found["WT_ml"], found["enhancing_lesions"], found["enhancing_sum_mm2"]) == (0, 0, 0)
    assert found["enhancing_diameter_mm"] is None


@pytest.mark.parametrize("name", built_in_tasks())
def test_every_task_has_the_measures_of_its_labels(name):
    task = load_task(name)
    mask = np.zeros(SHAPE, np.uint8)
    mask[ellipsoid([20, 20, 20], AFFINE)] = task.region_labels[task.whole_tumour][0]
    found = numbers(measure_mask(mask, AFFINE, task), task)
    assert found[f"{task.whole_tumour}_ml"] == pytest.approx(np.pi / 6 * 20**3 / 1000, rel=0.05)
    assert found[f"{task.whole_tumour}_diameter_mm"] == pytest.approx(20, abs=1)
    assert ("enhancing_lesions" in found) == (task.label_of("enhancing") is not None)
    assert len(found) == len({*found})


def test_a_task_without_enhancing_tumour_has_no_sum():
    task = load_task("brats-meningioma-radiotherapy")
    assert measured_regions(task) == ("GTV",)
    assert measure_mask(np.zeros(SHAPE, np.uint8), AFFINE, task).sum_of_products_mm2 is None


def test_measures_are_read_as_they_were_written():
    measures = measure_mask(glioma((10, 0, 0), (-14, 5, 3)), AFFINE, TASK)
    assert ClinicalMeasures.from_json(json.loads(json.dumps(measures.to_json()))) == measures


@pytest.mark.parametrize(
    ("affine", "codes"),
    [
        (AFFINE, []),
        (grid((0.5, 0.5, 6.0)), []),
        (rotated(AFFINE, 28, (1, 2)), []),
        (rotated(AFFINE, 35, (1, 2)), ["tilted_planes"]),
        (grid((5.0, 0.5, 0.5)), ["coarse_planes"]),
    ],
)
def test_grids_on_which_diameters_are_doubtful_are_warned_of(affine, codes):
    measures = measure_mask(glioma((0, 0, 0)), affine, TASK)
    assert [issue.code for issue in measure_warnings("case", measures)] == codes
