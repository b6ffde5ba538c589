"""Rows of patients with names that a table cannot contain, or that look like missing values."""

import os

import pytest

from tests.support.builders import TASK
from tests.support.case_files import CASE, write_valid_case
from tests.support.patients import segment, tiny_segmenter
from tumorseg.io.tables import read_table
from tumorseg.segmentation.results import write_volume_table

TEXT = ("case", "segmented", "channels", "problems", "detail", "warnings")


@pytest.mark.parametrize(("name", "case"), [("a{b}", "a{b}"), ("bell\x07", r"bell\x07"), (b"ol\xe9", r"ol\xe9")])
def test_a_patient_with_an_awkward_name_has_a_row_and_does_not_stop_others(tmp_path, name, case):
    root = write_valid_case(tmp_path / "data", "NA")
    write_valid_case(root, CASE, seed=1)
    (root / CASE).rename(root / os.fsdecode(name))
    patients = segment(root, tmp_path / "out", tiny_segmenter())
    write_volume_table(tmp_path / "volumes.tsv", patients, TASK.structures)
    table = read_table(tmp_path / "volumes.tsv", text_columns=TEXT).set_index("case")
    assert table["segmented"].to_dict() == {"NA": "true", case: "false"}
    assert table.loc[case, "problems"] == "awkward_name"
    assert "rename the folder" in table.loc[case, "detail"]
