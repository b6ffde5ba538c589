"""The command that gathers the results of all jobs: files, table and pages."""

import json

import pytest

import segment
from tests.support.patient_pages import HOSTILE, METHOD, PATIENTS, segmented, write_files
from tumorseg.cohort.validation_result import Issue
from tumorseg.io.tables import read_table
from tumorseg.preparation.step_record import StepRecord, write_step_record
from tumorseg.segmentation.results import PatientResult, write_record

SETTINGS = json.dumps({"colours": {"label_1": "#D55E00", "label_2": "#56B4E9", "label_4": "#F0E442"}})


def write_shard(folder, patients: list[PatientResult]) -> str:
    write_files(folder, patients)
    for patient in patients:
        if patient.segmented:
            (folder / f"{patient.case}.nii.gz").write_bytes(b"a mask")
    write_record(folder, patients, METHOD)
    (folder / ".snakemake_timestamp").touch()
    return str(folder)


def gather(tmp_path, *shards: str, prepared: tuple[str, ...] = (), visits: str = "{}") -> set[str]:
    """Run the script and return the names of all files that it wrote."""
    output = tmp_path / "segmentations"
    command = ["--shards", *shards, "--prepared", *prepared, "--visits", visits, "--settings", SETTINGS]
    segment.main([*command, "--output", str(output)])
    return {str(path.relative_to(output)) for path in output.rglob("*") if path.is_file()}


def files_of(case: str) -> set[str]:
    return {f"{case}.nii.gz", f"{case}.png", f"viewer/{case}.js", f"{case}.html"}


FIXED = {"segmentations.html", "viewer/niivue.js", "volumes.tsv", "patients.json"}


def test_the_files_of_all_jobs_are_gathered_and_every_patient_has_a_page(tmp_path):
    shards = write_shard(tmp_path / "batch-001", PATIENTS[:2]), write_shard(tmp_path / "batch-002", PATIENTS[2:])
    written = gather(tmp_path, *shards)
    assert written == FIXED | {"failed.html"} | files_of("a") | files_of(HOSTILE) | files_of("with warning")


def test_a_patient_whose_preparation_failed_has_a_row_a_page_and_no_mask(tmp_path):
    write_shard(tmp_path / "a/segmented", [segmented("a")])
    write_shard(tmp_path / "b/segmented", [])
    problem = Issue("no_brain", "b", "there is no brain; check the images")
    write_step_record(tmp_path / "b/brain/record.json", StepRecord("b", "extract_brain", problems=(problem,)))
    write_step_record(tmp_path / "a/brain/record.json", StepRecord("a", "extract_brain", facts={"volume_ml": 1300.0}))
    write_step_record(tmp_path / "a/native/record.json", StepRecord("a", "to_native", facts={"reference": "t1ce"}))
    (tmp_path / "a/native/a-t1ce-mask.nii.gz").write_bytes(b"the mask on the grid of the scanner")
    written = gather(tmp_path, prepared=(str(tmp_path / "a"), str(tmp_path / "b")))
    assert written == FIXED | {"b.html", "atlas/a.nii.gz"} | files_of("a")
    assert (tmp_path / "segmentations/a.nii.gz").read_bytes() == b"the mask on the grid of the scanner"
    table = read_table(tmp_path / "segmentations/volumes.tsv").set_index("case")
    assert table["segmented"].to_dict() == {"a": "true", "b": "false"}
    assert table.loc["b", "detail"] == "there is no brain; check the images"
    assert "1,300 ml" in (tmp_path / "segmentations/a.html").read_text()


def test_a_warning_about_the_native_mask_is_in_the_table_and_on_both_pages(tmp_path):
    write_shard(tmp_path / "a/segmented", [segmented("a")])
    warning = Issue("mask_volume_changed", "a", "on T1CE, volumes differ by more than 10 %: value 3 from 3 to 2 ml")
    record = StepRecord("a", "to_native", warnings=(warning,), facts={"reference": "t1ce"})
    write_step_record(tmp_path / "a/native/record.json", record)
    gather(tmp_path, prepared=(str(tmp_path / "a"),))
    row = read_table(tmp_path / "segmentations/volumes.tsv").set_index("case").loc["a"]
    assert "mask_volume_changed" in row["warnings"]
    assert warning.message in row["warning_messages"]
    for page in ("a.html", "segmentations.html"):
        assert warning.message in (tmp_path / "segmentations" / page).read_text()


def test_without_any_mask_the_reasons_are_reported(tmp_path):
    shard = write_shard(tmp_path / "batch-001", [PATIENTS[2]])
    with pytest.raises(SystemExit) as stopped:
        gather(tmp_path, shard)
    assert stopped.value.code != 0
    assert (tmp_path / "segmented/volumes.tsv").exists()
    assert not (tmp_path / "segmentations").exists()


def test_patients_and_dates_of_the_sheet_make_a_course_of_patients_that_need_no_preparation(tmp_path):
    shard = write_shard(tmp_path / "batch-001", [segmented("P1_visit1"), segmented("P1_visit2"), segmented("scan")])
    dates = {"P1_visit1": "2024-03-01", "P1_visit2": "2023-12-01", "scan": "2024-04-01"}
    visits = {case: {"patient": "P1", "date": date} for case, date in dates.items()}
    written = gather(tmp_path, shard, visits=json.dumps(visits))
    assert {"course.tsv", "course-P1.png"} <= written
    table = read_table(tmp_path / "segmentations/course.tsv")
    assert table["case"].tolist() == ["P1_visit2", "P1_visit1", "scan"]
