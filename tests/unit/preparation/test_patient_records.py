"""The records of all steps of a patient."""

import pytest

from tumorseg.errors import UserError
from tumorseg.preparation.patient_records import read_patient_records
from tumorseg.preparation.step_record import StepRecord, write_step_record


def write(folder, name: str, step: str, **facts) -> None:
    write_step_record(folder / name, StepRecord("P1", step, facts=facts))


def test_records_are_in_the_order_of_the_steps_with_their_channels(tmp_path):
    write(tmp_path, "atlas/record.json", "to_atlas")
    write(tmp_path, "brain/record.json", "extract_brain")
    write(tmp_path, "coregistered/t1ce.json", "coregister")
    write(tmp_path, "coregistered/flair.json", "coregister")
    write(tmp_path, "images/record.json", "convert")
    records = read_patient_records(tmp_path)
    assert [(entry.record.step, entry.channel) for entry in records] == [
        ("convert", ""),
        ("coregister", "flair"),
        ("coregister", "t1ce"),
        ("extract_brain", ""),
        ("to_atlas", ""),
    ]


def test_a_channel_that_the_patient_lacks_has_no_record(tmp_path):
    write(tmp_path, "coregistered/t2.json", "coregister", absent=True)
    assert read_patient_records(tmp_path) == []


def test_other_files_of_a_step_are_no_records(tmp_path):
    write(tmp_path, "images/record.json", "convert")
    (tmp_path / "images/t1.json").write_text("{}")
    assert len(read_patient_records(tmp_path)) == 1


def test_a_corrupted_record_is_reported(tmp_path):
    (tmp_path / "brain").mkdir()
    (tmp_path / "brain/record.json").write_text("{")
    with pytest.raises(UserError, match=r"brain/record\.json"):
        read_patient_records(tmp_path)
