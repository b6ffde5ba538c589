"""New patients are segmented with the existing model, without a cohort, and only once."""

import os
import shutil

import nibabel
import pandas as pd
import pytest

from tests.integration.workflow import Workflow

pytestmark = pytest.mark.slow

INVALID = {"BraTS-GLI-90005-000": "truncated", "BraTS-GLI-90006-000": "missing_modality"}


@pytest.fixture(scope="module")
def segmented_run(finished, tmp_path_factory):
    """A run that has segmented patients with an existing model. Do not change it; change a copy."""
    workflow = Workflow(tmp_path_factory.mktemp("segment") / "new patients")
    workflow.configure({"cohort": {"root": "nowhere"}, "demo": None, "segment": {"cases": "the patients"}})
    shutil.copytree(finished.results / "model", workflow.results / "model")
    shutil.copytree(finished.folder / "cohort", workflow.folder / "the patients")
    workflow.succeed("segment")
    return workflow


def table(workflow: Workflow) -> pd.DataFrame:
    return pd.read_csv(workflow.results / "segmentations/volumes.tsv", sep="\t", index_col="case")


def files_of(case: str) -> list[str]:
    return [f"{case}.nii.gz", f"{case}.png", f"{case}.html", f"viewer/{case}.js"]


def test_there_is_a_page_of_all_patients_and_one_for_each(segmented_run):
    folder = segmented_run.results / "segmentations"
    assert {path.stem for path in folder.glob("*.html")} == {"segmentations", *table(segmented_run).index}
    assert {path.stem for path in folder.glob("viewer/*.js")} == {
        "niivue",
        *table(segmented_run).query("segmented").index,
    }


def test_every_valid_patient_gets_a_mask_on_its_own_grid_and_a_picture(segmented_run):
    segmented = table(segmented_run).query("segmented").index
    assert len(segmented) == 6
    for case in segmented:
        mask = nibabel.load(segmented_run.results / f"segmentations/{case}.nii.gz")
        image = nibabel.load(segmented_run.folder / f"the patients/{case}/{case}-t1n.nii.gz")
        assert mask.shape == image.shape
        assert (mask.affine == image.affine).all()
        assert (segmented_run.results / f"segmentations/{case}.png").stat().st_size > 1000


def test_masks_of_the_demo_model_have_its_warning_and_that_of_coarse_voxels_and_no_other(segmented_run):
    segmented = table(segmented_run).query("segmented")
    assert set(segmented["warnings"]) == {"demonstration_model,coarse_planes"}
    (messages,) = set(segmented["warning_messages"])
    demonstration, coarse = messages.split(" | ")
    assert demonstration == "DEMONSTRATION MODEL: of no use on patients"
    assert coarse.startswith("voxels are up to 6 mm long in the axial plane, so diameters are uncertain")


def test_each_invalid_patient_is_listed_with_its_problem(segmented_run):
    invalid = table(segmented_run).query("not segmented")
    assert invalid["problems"].to_dict() == INVALID
    assert invalid["detail"].str.len().min() > 20
    assert invalid["WT_mm3"].isna().all()


def test_a_held_out_case_gets_its_evaluated_mask(segmented_run, finished):
    for prediction in (finished.results / "predictions/fold-0").glob("*.nii.gz"):
        again = segmented_run.results / "segmentations" / prediction.name
        assert again.read_bytes() == prediction.read_bytes()


def test_a_finished_segmentation_has_nothing_to_do(segmented_run):
    assert segmented_run.planned("segment") == {}


def test_a_new_patient_runs_only_its_shard_and_a_removed_patient_is_removed(segmented_run, tmp_path):
    run = segmented_run.copy(tmp_path / "run")
    shutil.copytree(run.folder / "the patients/BraTS-GLI-90002-000", run.folder / "the patients/P-7")
    for file in list((run.folder / "the patients/P-7").iterdir()):
        file.rename(file.with_name(file.name.replace("BraTS-GLI-90002-000", "P-7")))
    assert run.planned("segment") == {"segment_batch": 1, "segment": 1}
    shutil.rmtree(run.folder / "the patients/BraTS-GLI-90002-000")
    run.succeed("segment")
    assert "P-7" in table(run).index
    assert "BraTS-GLI-90002-000" not in table(run).index
    for file in files_of("BraTS-GLI-90002-000"):
        assert not (run.results / "segmentations" / file).exists()
    for file in files_of("P-7"):
        assert (run.results / "segmentations" / file).exists()


def test_an_older_image_is_segmented_again(segmented_run, tmp_path):
    run = segmented_run.copy(tmp_path / "run")
    image = run.folder / "the patients/BraTS-GLI-90002-000/BraTS-GLI-90002-000-t1n.nii.gz"
    long_ago = image.stat().st_mtime - 10**6
    shutil.copy(run.folder / "the patients/BraTS-GLI-90003-000/BraTS-GLI-90003-000-t1n.nii.gz", image)
    os.utime(image, (long_ago, long_ago))
    assert run.planned("segment") == {"segment_batch": 1, "segment": 1}


def test_another_model_segments_all_patients_again(segmented_run, tmp_path):
    run = segmented_run.copy(tmp_path / "run")
    shutil.copy(run.results / "model/fold-0.safetensors", run.results / "model/fold-1.safetensors")
    assert run.planned("segment")["segment_batch"] == len(list((run.results / "segmented").iterdir()))


def test_the_folder_of_one_patient_can_be_given(segmented_run, tmp_path):
    run = segmented_run.copy(tmp_path / "run")
    run.configure(
        {"cohort": {"root": "nowhere"}, "demo": None, "segment": {"cases": "the patients/BraTS-GLI-90002-000"}}
    )
    run.succeed("segment")
    assert table(run).index.tolist() == ["BraTS-GLI-90002-000"]


@pytest.mark.parametrize(
    ("segment", "sentence"),
    [
        ({"cases": None}, "segment.cases: no folder is given; add --config patients=DIR"),
        ({"cases": "nowhere"}, "segment.cases: cannot list nowhere (No such file or directory)"),
        ({"cases": "the patients", "models": ["a.safetensors"]}, "segment.models: there is no file a.safetensors"),
    ],
)
def test_mistakes_are_reported(segmented_run, tmp_path, segment, sentence):
    run = segmented_run.copy(tmp_path / "run")
    run.configure({"demo": None, "segment": segment})
    completed = run.run("segment")
    assert completed.returncode != 0
    assert sentence in completed.stdout
    assert "Traceback" not in completed.stdout


def test_without_a_model_the_run_stops_and_trains_nothing(segmented_run, finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    shutil.rmtree(run.results / "model")
    run.configure({"segment": {"cases": str(segmented_run.folder / "the patients")}})
    completed = run.run("segment")
    assert completed.returncode != 0
    assert "segment: there is no model in results/model, but a training has begun here" in completed.stdout
    assert not (run.results / "model").exists()


def test_if_no_patient_is_segmented_the_run_fails_with_the_reasons(segmented_run, tmp_path):
    run = segmented_run.copy(tmp_path / "run")
    invalid = "the patients/BraTS-GLI-90005-000"
    run.configure({"cohort": {"root": "nowhere"}, "demo": None, "segment": {"cases": invalid}})
    for _ in range(2):
        completed = run.run("segment")
        assert completed.returncode != 0
        assert "NOT segmented: BraTS-GLI-90005-000: truncated: " in completed.stdout
        assert "truncated" in (run.results / "segmented/volumes.tsv").read_text()
    image = run.folder / invalid / "BraTS-GLI-90005-000-t2f.nii.gz"
    shutil.copy(run.folder / "the patients/BraTS-GLI-90001-000/BraTS-GLI-90001-000-t2f.nii.gz", image)
    os.utime(image, (0, 0))
    run.succeed("segment")
    assert not (run.results / "segmented/volumes.tsv").exists()


def test_a_changed_image_is_segmented_again_and_a_touched_one_is_not(segmented_run, tmp_path):
    run = segmented_run.copy(tmp_path / "run")
    folder = run.folder / "the patients/BraTS-GLI-90002-000"
    image = folder / "BraTS-GLI-90002-000-t1n.nii.gz"
    image.touch()
    assert run.planned("segment") == {}
    content = bytearray(image.read_bytes())
    content[4] ^= 1  # a date in the header of gzip, which does not affect the image
    before = image.stat()
    image.write_bytes(content)
    os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert run.planned("segment") == {"segment_batch": 1, "segment": 1}
