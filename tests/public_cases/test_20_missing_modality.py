"""Case 20: patients with a missing sequence."""

import pytest

from tests.public_cases import generate_case
from tests.public_cases.segmenting import demo_training_facts, read_volumes_table, segment_workflow, write_random_model


@pytest.mark.slow
def test_the_complete_patient_is_segmented_and_missing_sequences_are_named(tmp_path):
    data = generate_case("20", tmp_path)
    model = write_random_model(tmp_path / "model.safetensors", demo_training_facts(1))
    run = segment_workflow(tmp_path / "run", data / "patients", [model])
    output = run.succeed("segment")
    table = read_volumes_table(run)
    assert table["segmented"].to_dict() == {"patient_0": "true", "patient_1": "false", "patient_2": "false"}
    assert set(table["problems"]) == {"", "missing_modality"}
    assert table.loc["patient_1", "detail"].startswith("T1 is missing")
    assert "T2 is missing" in table.loc["patient_2", "detail"]
    assert "NOT segmented: patient_1: missing_modality: T1 is missing" in output
    assert "1 of 3 patients is segmented" in output
    assert (run.results / "segmentations/patient_0.nii.gz").is_file()
    assert not (run.results / "segmentations/patient_1.nii.gz").exists()
