import json

import nibabel
import pytest

from tests.public_cases import made
from tests.public_cases.segmenting import clinic, like_the_demo, volumes, write_lively_model
from tumorseg.networks.model import DEMO_MODEL_WARNING

OTHER = "voxels are {} mm; the model was trained on voxels of 2.5 mm: resample all images of the patient to this size"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of the demo's model on all patients of the case, with what it printed."""
    folder = tmp_path_factory.mktemp("case")
    model = write_lively_model(folder / "demo.safetensors", like_the_demo(2.5, demo=True))
    workflow = clinic(folder / "run", made("24", folder) / "patients", [model])
    (workflow.folder / "said.txt").write_text(workflow.succeed("segment"))
    return workflow


def test_the_voxels_of_the_training_give_no_warning_and_others_do(run):
    table = volumes(run)
    assert table.loc["voxels_2.5mm", "warnings"] == "demonstration_model"
    assert "spacing_unlike_training" in table.loc["voxels_1mm", "warnings"]
    assert "spacing_unlike_training" in table.loc["slices_5mm", "warnings"]
    assert "non_unit_spacing" not in ",".join(table["warnings"])


def test_the_warning_stands_in_words_on_every_output(run):
    said = (run.folder / "said.txt").read_text()
    record = json.loads((run.results / "segmentations/patients.json").read_text())
    for case, edges in {"voxels_1mm": "1", "slices_5mm": "1 x 1 x 5"}.items():
        message = OTHER.format(edges)
        assert said.count(f"WARNING: {case}: {message}") == 1
        assert message in volumes(run).loc[case, "warning_messages"]
        (patient,) = [patient for patient in record["patients"] if patient["case"] == case]
        assert message in [warning["message"] for warning in patient["warnings"]]


def test_the_model_of_the_demo_marks_every_output(run):
    record = json.loads((run.results / "segmentations/patients.json").read_text())
    assert [model["mark"] for model in record["how"]["models"]] == [DEMO_MODEL_WARNING]
    assert DEMO_MODEL_WARNING in (run.folder / "said.txt").read_text()
    assert volumes(run)["warning_messages"].str.startswith(DEMO_MODEL_WARNING).all()
    for case in volumes(run).index:
        header = nibabel.load(run.results / f"segmentations/{case}.nii.gz").header
        assert header["descrip"].item().decode() == DEMO_MODEL_WARNING
