"""Case 24: patients with another voxel size than the training data."""

import json

import nibabel
import pytest

from tests.public_cases import generate_case
from tests.public_cases.segmenting import demo_training_facts, read_volumes_table, segment_workflow, write_random_model
from tumorseg.networks.notices import DEMO_MODEL_WARNING

WARNING = "voxels are {} mm; the model was trained on voxels of 2.5 mm: resample all images of the patient to this size"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of the demo's model on all patients of the case, with its output in a file."""
    folder = tmp_path_factory.mktemp("case")
    model = write_random_model(folder / "demo.safetensors", demo_training_facts(2.5, demo=True))
    workflow = segment_workflow(folder / "run", generate_case("24", folder) / "patients", [model])
    (workflow.folder / "output.txt").write_text(workflow.succeed("segment"))
    return workflow


@pytest.fixture(scope="module")
def resampled(tmp_path_factory):
    """A run on the same patients with a model that has a voxel size of its own."""
    folder = tmp_path_factory.mktemp("resampled")
    normalisation = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 1, "spacing_mm": [2.5, 2.5, 2.5]}
    model = write_random_model(folder / "model.safetensors", demo_training_facts(2.5), normalisation=normalisation)
    workflow = segment_workflow(folder / "run", generate_case("24", folder) / "patients", [model])
    workflow.succeed("segment")
    return workflow


def test_a_model_with_its_own_voxel_size_segments_every_patient_on_its_own_grid(resampled):
    table = read_volumes_table(resampled)
    assert table["segmented"].tolist() == ["true"] * 3
    for case in table.index:
        raw = nibabel.load(next((resampled.folder.parent / "data/patients" / case).glob("*_t1.nii.gz")))
        mask = nibabel.load(resampled.results / f"segmentations/{case}.nii.gz")
        assert mask.shape == raw.shape
        assert mask.affine.tolist() == raw.affine.tolist()


def test_a_model_with_its_own_voxel_size_warns_of_thick_slices_only(resampled):
    warnings = read_volumes_table(resampled)["warnings"].str.contains("spacing_unlike_training")
    assert warnings.to_dict() == {"slices_5mm": True, "voxels_1mm": False, "voxels_2.5mm": False}


def test_only_voxel_sizes_unlike_the_training_get_a_warning(run):
    table = read_volumes_table(run)
    assert table.loc["voxels_2.5mm", "warnings"] == "demonstration_model"
    assert "spacing_unlike_training" in table.loc["voxels_1mm", "warnings"]
    assert "spacing_unlike_training" in table.loc["slices_5mm", "warnings"]
    assert "non_unit_spacing" not in ",".join(table["warnings"])


def test_every_output_has_the_full_warning(run):
    output = (run.folder / "output.txt").read_text()
    record = json.loads((run.results / "segmentations/patients.json").read_text())
    for case, edges in {"voxels_1mm": "1", "slices_5mm": "1 x 1 x 5"}.items():
        message = WARNING.format(edges)
        assert output.count(f"WARNING: {case}: {message}") == 1
        assert message in read_volumes_table(run).loc[case, "warning_messages"]
        (patient,) = [patient for patient in record["patients"] if patient["case"] == case]
        assert message in [warning["message"] for warning in patient["warnings"]]


def test_the_demo_model_marks_every_output(run):
    record = json.loads((run.results / "segmentations/patients.json").read_text())
    assert [model["mark"] for model in record["how"]["models"]] == [DEMO_MODEL_WARNING]
    assert DEMO_MODEL_WARNING in (run.folder / "output.txt").read_text()
    assert read_volumes_table(run)["warning_messages"].str.startswith(DEMO_MODEL_WARNING).all()
    for case in read_volumes_table(run).index:
        header = nibabel.load(run.results / f"segmentations/{case}.nii.gz").header
        assert header["descrip"].item().decode() == DEMO_MODEL_WARNING
