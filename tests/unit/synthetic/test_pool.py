import json

import numpy as np
import pytest

import write_synthetic_cases
from tumorseg.preprocessing.store import read_case
from tumorseg.synthetic.case import synthetic_case
from tumorseg.task import load_task

SETTINGS = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 2, "spacing_mm": 8}


def write(folder, *options):
    write_synthetic_cases.main(["--output", str(folder), "--settings", json.dumps(SETTINGS), "--seed", "7", *options])
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_files_are_normalised_cases(tmp_path):
    written = write(tmp_path / "pool", "--cases", "2", "--first", "3")
    assert sorted(written) == ["synthetic-7-000003.safetensors", "synthetic-7-000004.safetensors"]
    case = read_case(tmp_path / "pool" / "synthetic-7-000003.safetensors")
    np.testing.assert_array_equal(case.image, synthetic_case(SETTINGS, load_task(), 7, 3).image)


def test_two_processes_write_the_same_bytes(tmp_path):
    one = write(tmp_path / "one", "--cases", "3")
    assert write(tmp_path / "two", "--cases", "3", "--processes", "2") == one


def test_a_task_that_cannot_be_simulated_ends_the_job(tmp_path, capsys):
    with pytest.raises(SystemExit):
        write(tmp_path, "--cases", "1", "--task", "brats-paediatric")
    assert "means cyst" in capsys.readouterr().err
