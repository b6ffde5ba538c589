"""Case 03: perfect predictions with nnU-Net's label order. The scores come with a hint and the label map to set."""

import pytest

from tests.public_cases import generate_case
from tests.support.score_folders import Folders


class CohortFolders(Folders):
    """Folders whose references are the masks of the cohort."""

    @property
    def references(self):
        return self.root / "cohort"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return CohortFolders(generate_case("03", tmp_path_factory.mktemp("case")))


def test_exchanged_labels_get_a_hint_with_the_label_map(folders):
    table, summary = folders.scored()
    assert (table.xs("WT", level="region")["dice"] == 1).all()
    assert (table.xs("ET", level="region")["dice"] == 1).all()
    assert (table.xs("TC", level="region")["dice"] < 0.5).all()
    assert [hint["label_map"] for hint in summary["hints"]] == [{"1": 2, "2": 1, "3": 4}]


def test_every_score_is_perfect_with_that_label_map(folders):
    table, summary = folders.scored(label_maps=[{1: 2, 2: 1, 3: 4}])
    assert (table["dice"] == 1).all()
    assert summary["hints"] == []
    voxels = table["reference_voxels"].unstack()
    assert voxels[["WT", "TC", "ET"]].to_numpy().tolist() == [[2969, 895, 716]] * 4
