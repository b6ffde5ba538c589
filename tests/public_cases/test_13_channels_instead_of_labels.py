"""Case 13: predictions with one channel per region, first or last, binary or probabilities, beside label masks."""

import pytest

from tests.public_cases import generate_case
from tests.support.score_folders import Folders


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    return Folders(generate_case("13", tmp_path_factory.mktemp("case"))).scored()


def test_every_score_is_perfect(scored):
    table, summary = scored
    assert len(table) == 4 * 6
    assert (table["dice"] == 1).all()
    assert [summary[key] for key in ("missing", "unusable", "hints")] == [[], [], []]


def test_the_notes_describe_how_the_files_were_read(scored):
    notes = {row["case"]: row["note"] for row in scored[1]["notes"]}
    read = "read as channels of regions TC, WT, ET"
    thresholded = f"{read} with probabilities of at least 0.5"
    assert notes == {"BraTS2021_00800": read, "BraTS2021_00801": read, "BraTS2021_00802": thresholded}
