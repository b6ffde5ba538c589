"""A cohort of synthetic cases as NIfTI files: the workflow reads and normalises it like any other."""

import json

import nibabel
import numpy as np
import pytest

import write_synthetic_cases
from tests.support.case_files import check_case
from tumorseg.cohort.discovery import discover_cases
from tumorseg.preprocessing.normalisation import normalise_validated_case
from tumorseg.preprocessing.store import case_origin
from tumorseg.synthetic.case import synthetic_case
from tumorseg.task import load_task

SETTINGS = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 2, "spacing_mm": 8}
TASK = load_task()


def write(folder, *options):
    arguments = ["--nifti", "--output", str(folder), "--settings", json.dumps(SETTINGS), "--seed", "7", *options]
    write_synthetic_cases.main(arguments)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic") / "cohort"
    write(folder, "--cases", "3")
    return folder


def test_the_cases_have_the_folders_and_names_of_the_task(cohort):
    found = discover_cases(cohort, TASK)
    assert [case.case for case in found] == [f"synthetic-7-00000{index}" for index in range(3)]
    assert found[0].files["t1ce"] == ("synthetic-7-000000/synthetic-7-000000-t1c.nii.gz",)
    assert set(found[0].files) == {*TASK.channel_names, "seg"}
    image = nibabel.load(cohort / "synthetic-7-000000/synthetic-7-000000-t1n.nii.gz")
    assert image.get_data_dtype() == np.int16
    assert image.header.get_zooms() == (8, 8, 8)


def test_normalised_by_the_workflow_a_case_equals_the_normalised_form(cohort):
    for index, files in enumerate(discover_cases(cohort, TASK)):
        found = check_case(cohort, files, shape=None, labels="auto")
        assert found.usable
        case = normalise_validated_case(cohort, found, SETTINGS, task=TASK)
        expected = synthetic_case(SETTINGS, TASK, 7, index)
        np.testing.assert_array_equal(case.image, expected.image)
        np.testing.assert_array_equal(case.mask, expected.mask)
        assert case.origin.crop == expected.origin.crop


def test_two_processes_write_the_same_bytes(cohort, tmp_path):
    expected = {path.relative_to(cohort).as_posix(): path.read_bytes() for path in cohort.rglob("*.*")}
    assert write(tmp_path / "two", "--cases", "3", "--processes", "2") == expected


def test_complete_cases_are_kept_and_incomplete_ones_are_completed(tmp_path, monkeypatch):
    written = write(tmp_path / "a", "--cases", "2")
    (tmp_path / "a/synthetic-7-000001/synthetic-7-000001-seg.nii.gz").unlink()
    simulated = []
    simulate = write_synthetic_cases.write_cohort.__globals__["simulate_case"]
    monkeypatch.setattr(
        "tumorseg.synthetic.pool.simulate_case", lambda *given: simulated.append(given[-1]) or simulate(*given)
    )
    assert write(tmp_path / "a", "--cases", "2") == written
    assert simulated == [1]


@pytest.mark.parametrize("change", [("--seed", "8"), ("--settings", json.dumps({**SETTINGS, "spacing_mm": 6}))])
def test_a_cohort_with_other_settings_is_not_continued(cohort, capsys, change):
    with pytest.raises(SystemExit):
        write(cohort, "--cases", "4", *change)
    assert "was written with another seed, voxel size or task; use another folder" in capsys.readouterr().err


def test_a_task_with_all_channels_in_one_file_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        write(tmp_path, "--cases", "1", "--task", "decathlon-brain-tumour")
    assert "all channels in one file" in capsys.readouterr().err


def test_settings_that_are_not_given_have_their_defaults(tmp_path):
    write_synthetic_cases.main(["--output", str(tmp_path), "--cases", "1", "--settings", '{"spacing_mm": 8}'])
    (path,) = tmp_path.iterdir()
    expected = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 4, "spacing_mm": [8.0, 8.0, 8.0]}
    assert case_origin(path).settings == expected


@pytest.mark.parametrize("settings", ["2", '{"spacing": 2}'])
def test_unknown_settings_are_refused(tmp_path, capsys, settings):
    with pytest.raises(SystemExit):
        write_synthetic_cases.main(["--output", str(tmp_path), "--cases", "1", "--settings", settings])
    assert "keys among clip_percentiles, margin_voxels, spacing_mm" in capsys.readouterr().err
