"""The command line that converts the images of a patient."""

import json

import numpy as np

import convert
from tumorseg.io.nifti import write_nifti
from tumorseg.preparation.patient_source import source_to_json
from tumorseg.preparation.patient_sources import find_patients
from tumorseg.task import load_task


def test_the_script_writes_the_folder(tmp_path):
    voxels = np.random.default_rng(0).integers(1, 1000, (24, 20, 16)).astype(np.int16)
    write_nifti(tmp_path / "in/P1/t1.nii.gz", voxels, np.diag([-8.0, 8.0, 8.0, 1.0]))
    (source,) = find_patients(tmp_path / "in")
    output, log = tmp_path / "images", tmp_path / "convert.log"
    options = ["--root", str(tmp_path / "in"), "--source", source_to_json(source), "--task", load_task().to_json()]
    convert.main([*options, "--output", str(output), "--log", str(log)])
    assert json.loads((output / "record.json").read_text())["step"] == "convert"
    assert "t1: t1.nii.gz" in log.read_text()
