"""Warnings, which do not drop a case."""

import os
import time

import numpy as np
import pytest

from tests.support.case_files import (
    TASK,
    check_case,
    image,
    mask,
    path_of,
    real_data,
    validated,
    warnings,
    write_valid_case,
    write_volume,
)
from tumorseg.cohort.discovery import discover_cases


@pytest.fixture
def root(tmp_path):
    return write_valid_case(tmp_path)


def test_a_mask_without_enhancing_tumour_has_no_convention(root):
    write_volume(root, "seg", mask(enhancing=1))
    assert warnings(root) == ["no_enhancing_tumour"]
    assert validated(root).facts["convention"] is None
    assert validated(root).usable


def test_tumour_outside_the_brain_is_a_warning(root):
    volume = mask()
    volume[0, 0, 0] = 1
    write_volume(root, "seg", volume)
    assert warnings(root) == ["tumour_outside_brain"]


def test_the_brain_is_the_foreground_of_any_modality(root):
    volume = image("flair")
    volume[:, :, :5] = 0  # a slab that was not acquired, with tumour in it
    write_volume(root, "flair", volume)
    assert warnings(root) == []


def test_saturation_is_found_in_floating_point_images(root):
    volume = image("t1").astype(np.float32)
    volume[4, 4, 4] = 32767
    write_volume(root, "t1", volume)
    assert warnings(root) == ["saturated_intensities"]


def test_suspicious_intensities_are_warnings(root):
    volume = image("t1")
    volume[5, 5, 5] = 32767
    write_volume(root, "t1", volume)
    assert warnings(root) == ["saturated_intensities"]
    volume[5, 5, 5] = -1
    write_volume(root, "t1", volume)
    assert warnings(root) == ["negative_intensities"]


def test_modalities_that_are_nearly_equal_are_a_warning(root):
    write_volume(root, "t1ce", image("t1") + (image("t1") > 0))
    assert warnings(root) == ["nearly_equal_modalities"]


def test_voxels_of_another_size_are_a_warning(root):
    for role in ("t1", "t1ce", "t2", "flair"):
        write_volume(root, role, image(role), np.diag([1, 1, 2.0, 1]))
    write_volume(root, "seg", mask(), np.diag([1, 1, 2.0, 1]))
    assert warnings(root) == ["non_unit_spacing"]


def test_bytes_after_a_valid_file_are_a_warning(root):
    path = path_of(root, "t1")
    path.write_bytes(path.read_bytes() + b"garbage")
    assert warnings(root) == ["trailing_bytes"]
    assert validated(root).usable


def test_real_cases_are_usable_and_their_labels_are_counted():
    root = real_data()
    found = {
        case.case: check_case(root, case, shape=[240, 240, 155], labels="auto")
        for case in discover_cases(root, TASK)
        if case.case in ("BraTS2021_01482", "BraTS2021_01484")
    }
    saturated, without = found["BraTS2021_01482"], found["BraTS2021_01484"]
    assert saturated.usable
    assert without.usable
    assert {issue.code for issue in saturated.warnings} == {"saturated_intensities"}
    assert [issue.code for issue in without.warnings] == ["no_enhancing_tumour"]
    assert [without.facts[f"label_{label}"] for label in (1, 2, 4)] == [135025, 27678, 0]
    assert saturated.facts["convention"] == "brats2021"


def test_a_file_dated_in_the_future_is_named(tmp_path):
    root = write_valid_case(tmp_path)
    later = time.time() + 86_400
    os.utime(path_of(root, "t2"), (later, later))
    (issue,) = validated(root).warnings
    assert (issue.code, issue.file) == ("dated_in_future", path_of(root, "t2").relative_to(root).as_posix())


def test_clocks_of_two_machines_may_differ_a_little(tmp_path):
    root = write_valid_case(tmp_path)
    later = time.time() + 30
    os.utime(path_of(root, "t2"), (later, later))
    assert warnings(root) == []
