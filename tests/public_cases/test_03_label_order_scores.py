"""Case 03: perfect predictions in nnU-Net's order of labels; scores say so, and the map that is named corrects them."""

import pytest

from tests.public_cases import made
from tests.support.score_folders import Folders


class Cohort(Folders):
    """The cohort's own masks are the references."""

    @property
    def references(self):
        return self.root / "cohort"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return Cohort(made("03", tmp_path_factory.mktemp("case")))


def test_the_exchange_is_told_with_the_map_to_set(folders):
    table, summary = folders.scored()
    assert (table.xs("WT", level="region")["dice"] == 1).all()
    assert (table.xs("ET", level="region")["dice"] == 1).all()
    assert (table.xs("TC", level="region")["dice"] < 0.5).all()
    assert [hint["label_map"] for hint in summary["hints"]] == [{"1": 2, "2": 1, "3": 4}]


def test_with_that_map_every_score_is_perfect(folders):
    table, summary = folders.scored(label_maps=[{1: 2, 2: 1, 3: 4}])
    assert (table["dice"] == 1).all()
    assert summary["hints"] == []
    voxels = table["reference_voxels"].unstack()
    assert voxels[["WT", "TC", "ET"]].to_numpy().tolist() == [[2969, 895, 716]] * 4
