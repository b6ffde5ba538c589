"""The command line of the rule extract_brain."""

import numpy as np

import extract_brain
from tests.unit.cohort.test_skull_stripping import brain
from tests.unit.preparation.test_brain_step import write_patient


def test_the_command_writes_mask_and_record(tmp_path):
    coregistered = write_patient(tmp_path, brain().astype(np.int16))
    command = ["--images", str(tmp_path / "images"), "--coregistered", *map(str, coregistered)]
    command += ["--task", "brats-glioma", "--threads", "1", "--output", str(tmp_path / "brain")]
    extract_brain.main([*command, "--log", str(tmp_path / "log")])
    assert {path.name for path in (tmp_path / "brain").iterdir()} == {"mask.nii.gz", "record.json"}
    assert "P1: T1CE shows the brain alone" in (tmp_path / "log").read_text()
