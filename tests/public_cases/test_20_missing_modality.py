from tests.public_cases import made
from tests.public_cases.segmenting import clinic, like_the_demo, volumes, write_lively_model


def test_the_complete_patient_is_segmented_and_the_others_are_told_which_sequence_is_missing(tmp_path):
    data = made("20", tmp_path)
    model = write_lively_model(tmp_path / "model.safetensors", like_the_demo(1))
    run = clinic(tmp_path / "run", data / "patients", [model])
    said = run.succeed("segment")
    table = volumes(run)
    assert table["segmented"].to_dict() == {"patient_0": "true", "patient_1": "false", "patient_2": "false"}
    assert set(table["problems"]) == {"", "missing_modality"}
    assert table.loc["patient_1", "detail"].startswith("T1 is missing")
    assert "T2 is missing" in table.loc["patient_2", "detail"]
    assert "NOT segmented: patient_1: missing_modality: T1 is missing" in said
    assert "1 of 3 patients is segmented" in said
    assert (run.results / "segmentations/patient_0.nii.gz").is_file()
    assert not (run.results / "segmentations/patient_1.nii.gz").exists()
