"""Case 13: predictions with a channel for each region, last or first, as numbers or probabilities, beside masks."""

import pytest

from tests.public_cases import made
from tests.support.score_folders import Folders


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    return Folders(made("13", tmp_path_factory.mktemp("case"))).scored()


def test_every_case_is_perfect(scored):
    table, summary = scored
    assert len(table) == 4 * 6
    assert (table["dice"] == 1).all()
    assert [summary[key] for key in ("missing", "unusable", "hints")] == [[], [], []]


def test_notes_say_how_they_were_read(scored):
    notes = {row["case"]: row["note"] for row in scored[1]["notes"]}
    read = "read as channels of regions TC, WT, ET"
    thresholded = f"{read}, as probabilities of at least 0.5"
    assert notes == {"BraTS2021_00800": read, "BraTS2021_00801": read, "BraTS2021_00802": thresholded}
