"""Case 28: corrected files with the date of the original release are validated again."""

import shutil

import pytest

from tests.integration.workflow import Workflow
from tests.public_cases import generate_case
from tumorseg.io import tables

pytestmark = pytest.mark.slow


def label_voxels(run: Workflow) -> dict[str, tuple]:
    """Return the voxels of labels 1, 2 and 4 of each usable case."""
    table = tables.read_table(run.results / "cohort/manifest.tsv")
    return {row.case: (row.label_1, row.label_2, row.label_4) for row in table.itertuples() if row.usable == "true"}


def test_corrected_files_with_an_old_date_are_validated_again(tmp_path):
    data = generate_case("28", tmp_path)
    run = Workflow(tmp_path / "run")
    run.configure({"cohort": {"root": str(data / "cohort"), "shards": 4}, "demo": None})
    run.succeed("validate")
    before = label_voxels(run)
    assert before["BraTS2021_01700"] == ("1432", "16592", "5728")
    assert "BraTS2021_01701" not in before
    shutil.copytree(data / "corrected", data / "cohort", dirs_exist_ok=True)  # keeps the dates, as cp -rp does
    run.succeed("validate")
    after = label_voxels(run)
    assert after["BraTS2021_01700"] == ("0", "18024", "5728")
    assert "BraTS2021_01701" in after
