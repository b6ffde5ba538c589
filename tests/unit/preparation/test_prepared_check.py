"""Whether the images of a patient are prepared already."""

import numpy as np
import pytest

from tests.support.case_files import (
    AFFINE,
    SUFFIXES,
    TASK,
    image,
    learning_data,
    path_of,
    real_data,
    write_valid_case,
    write_volume,
)
from tests.unit.cohort.test_skull_stripping import brain, head
from tests.unit.demo.test_cohort import write_demo
from tumorseg.cohort.discovery import discover_cases
from tumorseg.preparation.prepared_check import PreparedDecision, preparation_need

PREPARED = PreparedDecision(prepared=True, reasons=())


def decide(root, **options):
    """Return the decision on the only case below `root`."""
    return preparation_need({role: path_of(root, role) for role in TASK.channel_names}, TASK, **options)


def decisions(root):
    """Return the decision on each case below `root`."""
    found = []
    for case in discover_cases(root, TASK):
        paths = {role: root / files[0] for role, files in case.files.items() if role != "seg"}
        found.append(preparation_need(paths, TASK))
    return found


def write_images(root, voxels, affine=AFFINE):
    """Write the same voxels as every channel of the case, and return `root`."""
    for role in TASK.channel_names:
        write_volume(root, role, voxels, affine)
    return root


def test_brain_extracted_images_on_one_grid_are_prepared(tmp_path):
    assert decide(write_valid_case(tmp_path)) == PREPARED


def test_the_demo_cohort_is_prepared_even_its_corrupted_cases(tmp_path):
    assert decisions(write_demo(tmp_path)) == [PREPARED] * 6


def test_real_cases_are_prepared():
    found = decisions(real_data())
    assert found == [PREPARED] * 8


def test_real_cases_at_2_mm_are_prepared():
    found = decisions(learning_data())
    assert found == [PREPARED] * 21


def test_coregistered_images_with_skull_are_not_prepared(tmp_path):
    write_images(tmp_path, head().astype(np.int16))
    assert decide(tmp_path).reasons == ("T1 shows more than the brain: skull, scalp or the noise of air",)


def test_brains_on_different_grids_are_not_prepared(tmp_path):
    write_valid_case(tmp_path)
    write_volume(tmp_path, "t2", image("t2", shape=(10, 11, 9)))
    shifted = AFFINE.copy()
    shifted[2, 3] = 4
    write_volume(tmp_path, "flair", image("flair"), shifted)
    assert decide(tmp_path).reasons == ("T2, FLAIR and T1 have different grids",)


def tilted(degrees):
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1, 0, 0, 0], [0, cosine, -sine, 0], [0, sine, cosine, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize("affine", [np.diag([-1, -1, 5.0, 1]), tilted(12)])
def test_brains_on_one_grid_of_thick_or_tilted_slices_are_prepared(tmp_path, affine):
    assert decide(write_images(tmp_path, brain().astype(np.int16), affine)) == PREPARED


def test_thick_and_tilted_slices_are_named_beside_other_reasons(tmp_path):
    write_images(tmp_path, head().astype(np.int16), tilted(12) @ np.diag([-1, -1, 5.0, 1]))
    assert decide(tmp_path).reasons[1:] == (
        "the voxels of T1 are 1 x 1 x 5 mm, not cubes",
        "the slices of T1 are tilted by 12 degrees against the axes of the scanner",
    )


def test_the_axes_may_have_any_order(tmp_path):
    affine = np.array([[0, 0, 2.0, 0], [-2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 1]])
    assert decide(write_images(tmp_path, brain().astype(np.int16), affine)) == PREPARED


def test_a_constant_background_other_than_0_is_prepared(tmp_path):
    voxels = brain()
    assert decide(write_images(tmp_path, np.where(voxels > 0, voxels, -1000).astype(np.int16))) == PREPARED


def test_a_patient_without_a_sequence_can_be_prepared(tmp_path):
    write_valid_case(tmp_path)
    assert preparation_need({role: path_of(tmp_path, role) for role in ("t1ce", "flair")}, TASK) == PREPARED


@pytest.mark.parametrize("role", TASK.channel_names)
def test_a_file_that_cannot_be_read_decides_nothing(tmp_path, role):
    write_valid_case(tmp_path)
    path_of(tmp_path, role).write_bytes(b"no volume")
    assert decide(tmp_path) == PREPARED


def test_a_patient_without_a_readable_image_is_not_prepared(tmp_path):
    write_valid_case(tmp_path)
    for role in SUFFIXES:
        path_of(tmp_path, role).unlink()
    assert decide(tmp_path) == PreparedDecision(prepared=False, reasons=("no image can be read",))
