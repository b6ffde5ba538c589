"""Signs of another task: names, grids, mask values, and brightness of labels on the contrast-enhanced image."""

import numpy as np
import pytest

from tests.support.case_files import TASK
from tumorseg.cohort import other_task
from tumorseg.cohort.other_task import PostContrastSample, find_other_task_signs, sample_post_contrast
from tumorseg.task import built_in_tasks, load_task

AFTER = load_task("brats-glioma-post-treatment")
BRAIN = np.arange(1000)
DARK, MIDDLE, BRIGHT = np.full(100, 100), np.full(100, 600), np.full(100, 990)


@pytest.fixture(autouse=True)
def these_tasks_alone(monkeypatch):
    of_brats = ("africa", "glioma", "glioma-post-treatment", "meningioma", "meningioma-radiotherapy", "metastases")
    these = (*(f"brats-{name}" for name in (*of_brats, "paediatric")), "decathlon-brain-tumour")
    monkeypatch.setattr(other_task, "load_built_in_tasks", lambda: tuple(map(load_task, these)))


def signs_of(task=TASK, *, names=("patient1",), shape=(240, 240, 155), values=(), **by_value):
    """Return the tasks that the signs of a case point to; `by_value` is the brightness of each label, as v4=DARK."""
    seen = PostContrastSample(BRAIN, {int(name[1:]): voxels for name, voxels in by_value.items()})
    return find_other_task_signs(task, names=names, shape=shape, values=[*values, *seen.by_value], contrast=seen).tasks


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("BraTS-GLI-00046-101", "brats-glioma-post-treatment"),
        ("brats-ped-00046-000", "brats-paediatric"),
        ("BRATS-MET-00046-001", "brats-metastases"),
        ("BraTS-MEN-RT-0001-1", "brats-meningioma-radiotherapy"),
        ("BRATS_001", "decathlon-brain-tumour"),
        ("BraTS-PED-00046-000-t1n.nii.gz", "brats-paediatric"),
    ],
)
def test_a_name_is_a_sign_of_its_task(name, task):
    assert signs_of(names=("patient1", name)) == (task,)


@pytest.mark.parametrize(
    "name",
    ["BraTS-GLI-00046-001", "BraTS2021_00001", "BraTS-MEN-00001-000", "BraTS-SSA-00001-000", "Patient-001", "x-101"],
)
def test_a_name_of_a_task_that_reads_masks_alike_is_no_sign(name):
    assert signs_of(names=(name,)) == ()


@pytest.mark.parametrize("name", built_in_tasks())
def test_a_task_has_no_signs_against_its_own_names_and_grids(name):
    task = load_task(name)
    case = task.case_name.format(patient=1, time_point=task.first_time_point)
    for shape in task.grids or [(240, 240, 155)]:
        assert (
            find_other_task_signs(task, names=[case], shape=shape, values=task.label_values, contrast=None).tasks == ()
        )


def test_a_grid_of_another_task_alone_is_a_sign():
    assert signs_of(shape=(182, 218, 182)) == ("brats-glioma-post-treatment",)
    assert signs_of(shape=(182, 218, 180)) == ()
    assert signs_of(load_task("brats-metastases"), shape=(182, 218, 182)) == ()  # this task defines no grid


def test_values_that_only_other_tasks_know_are_a_sign():
    assert signs_of(values=(1, 2, 3, 4)) == ("brats-glioma-post-treatment", "brats-metastases", "brats-paediatric")
    assert signs_of(values=(1, 2, 7)) == ()
    assert signs_of(load_task("brats-africa"), values=(1, 2, 4)) == (
        "brats-glioma",
        "brats-glioma-post-treatment",
        "brats-metastases",
        "brats-paediatric",
    )


def test_tasks_that_the_image_contradicts_are_excluded():
    found = signs_of(v1=DARK, v2=MIDDLE, v3=BRIGHT, v4=DARK)
    assert found == ("brats-glioma-post-treatment", "brats-metastases")


def test_enhancing_tumour_darker_than_the_brain_is_a_sign():
    assert "brats-glioma-post-treatment" in signs_of(v2=MIDDLE, v4=DARK)
    assert signs_of(v2=MIDDLE, v4=BRIGHT) == ()
    assert signs_of(v1=DARK, v2=MIDDLE) == ()


def test_enhancing_tumour_darker_than_the_rest_of_the_tumour_is_a_sign():
    assert signs_of(v1=BRIGHT, v2=DARK, v4=MIDDLE) == ("brats-paediatric",)


def test_a_bright_cavity_is_a_sign_of_a_task_with_enhancing_tumour():
    assert signs_of(AFTER, v1=DARK, v2=MIDDLE, v4=BRIGHT) == ("brats-glioma",)


def test_dark_enhancing_tumour_is_a_sign_even_if_no_task_fits_the_image():
    assert signs_of(v2=BRIGHT, v4=DARK) == ("brats-glioma-post-treatment", "brats-metastases", "brats-paediatric")
    assert signs_of(load_task("brats-paediatric"), v2=BRIGHT, v4=DARK) == ()


def test_few_voxels_are_no_sign():
    assert signs_of(v4=DARK[:8]) == ()


def test_voxels_equal_to_the_median_are_no_sign():
    assert (
        find_other_task_signs(
            TASK, names=["a"], shape=None, values=[4], contrast=PostContrastSample(np.ones(99), {4: np.ones(99)})
        ).tasks
        == ()
    )


def test_the_task_with_most_signs_is_named():
    found = find_other_task_signs(TASK, names=["BraTS-PED-00001-000"], shape=None, values=[1, 2, 3, 4], contrast=None)
    assert found.tasks == ("brats-paediatric",)
    assert found.reasons == ("its name is BraTS-PED-00001-000", "its mask has the values 1, 2, 3, 4")
    assert not found.only_values


def test_contrast_is_sampled_by_value():
    voxels = np.arange(20_000)
    where, values = np.arange(0, 20_000, 2, dtype=np.int32), np.repeat(np.array([1, 3], np.uint8), 5_000)
    found = sample_post_contrast(voxels, where, values, BRAIN)
    assert set(found.by_value) == {1, 3}
    assert found.by_value[1].max() < 10_000 <= found.by_value[3].min()
    assert all(voxels.size <= 5_000 for voxels in found.by_value.values())
