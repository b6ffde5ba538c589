import numpy as np
import pytest

from tests.support.builders import TASK
from tumorseg.errors import UserError
from tumorseg.evaluation.postprocessing_choice import (
    choose,
    gain_table,
    mean_over_structures,
    mean_structures,
)
from tumorseg.metrics.bootstrap import Bootstrap
from tumorseg.task import load_task

STRUCTURES = list(TASK.structures)
FOLDS = [0, 0, 1, 1, 2, 2]


def mean_dice(*columns):
    """Return mean Dice (cases, candidates): a column for each candidate, a row for each of six cases."""
    return np.array(columns, float).T


def gains_of(before, after, has_structure, cases=None):
    """Return the rows of the Dice by region. Arrays: (cases, structures)."""
    scores = np.stack([np.stack([before, after], axis=1)] * 2, axis=-1).astype(float)
    names = cases or [f"case-{number}" for number in range(len(before))]
    bootstrap = Bootstrap(names, confidence=0.9, samples=500, seed=1)
    table = gain_table(scores, np.array(has_structure), bootstrap, TASK)
    return table[table["score"] == "dice"].set_index("region")


def test_the_choice_for_a_fold_ignores_its_own_cases():
    """The cases of fold 0 prefer the second candidate so much that they would decide the choice."""
    dice = mean_dice([0.1, 0.1, 0.6, 0.6, 0.6, 0.6], [0.9, 0.9, 0.5, 0.5, 0.5, 0.5])
    choices = choose(dice, FOLDS)
    assert choices.by_fold == {0: 0, 1: 1, 2: 1}
    assert choices.overall == 1
    changed = dice.copy()
    changed[:2] = 0.3, 0.2
    assert choose(changed, FOLDS).by_fold[0] == choices.by_fold[0]


def test_of_equal_candidates_the_one_with_the_least_postprocessing_is_chosen():
    nearly_equal = np.nextafter(0.5, 1)
    dice = mean_dice([0.4] * 6, [0.5] * 6, [nearly_equal] * 6, [0.5] * 6)
    assert choose(dice, FOLDS).by_fold == {0: 1, 1: 1, 2: 1}
    assert choose(dice, FOLDS).overall == 1


def test_one_fold_is_refused():
    with pytest.raises(UserError, match=r"cohort\.folds: .* at least 2 folds; set cohort\.folds to 3 or 5"):
        choose(mean_dice([0.5, 0.5], [0.6, 0.6]), [0, 0])


def test_a_region_with_the_voxels_of_a_label_counts_once_in_the_mean():
    assert mean_structures(TASK) == ["WT", "TC", "ET", "label_1", "label_2"]
    assert mean_structures(load_task("brats-meningioma-radiotherapy")) == ["GTV"]
    values = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.3])
    assert mean_over_structures(values, TASK) == pytest.approx(0.3)


def test_gains_are_differences_within_each_case():
    """All cases gain the same, although their scores differ, so the interval has no width."""
    before = np.linspace(0.1, 0.8, 4)[:, None] * np.ones(len(STRUCTURES))
    rows = gains_of(before, before + 0.1, np.ones(before.shape, bool))
    for region in ("mean", *STRUCTURES):
        row = rows.loc[region]
        assert [row["gain"], row["low"], row["high"]] == pytest.approx([0.1] * 3)
        assert [row["before"], row["after"]] == pytest.approx([0.45, 0.55])
        assert (row["cases"], row["better"], row["worse"], row["only_absent"]) == (4, 4, 0, "false")


def test_cases_of_a_patient_are_resampled_together():
    before, after = np.zeros((4, len(STRUCTURES))), np.zeros((4, len(STRUCTURES)))
    after[:2] = 0.2
    present = np.ones(before.shape, bool)
    names = [f"BraTS-GLI-0000{patient}-00{visit}" for patient in (1, 2) for visit in (0, 1)]
    together, apart = gains_of(before, after, present, names).loc["WT"], gains_of(before, after, present).loc["WT"]
    assert together["gain"] == apart["gain"] == pytest.approx(0.1)
    assert (together["low"], together["high"]) == pytest.approx((0, 0.2))
    assert apart["high"] - apart["low"] <= together["high"] - together["low"]


def case_without_enhancing_tumour(*, other_gain: float):
    """Return the gains if an empty case jumps from 0 to 1, and the enhancing tumour of three others changes."""
    before, after = np.full((2, 4, len(STRUCTURES)), 0.5)
    present = np.ones(before.shape, bool)
    for structure in ("ET", "label_4"):
        column = STRUCTURES.index(structure)
        present[0, column] = False
        before[0, column], after[0, column] = 0, 1
        after[1:, column] += other_gain
    return gains_of(before, after, present)


@pytest.mark.parametrize("other_gain", [0, -0.1])
def test_a_gain_of_cases_without_the_structure_alone_is_marked(other_gain):
    rows = case_without_enhancing_tumour(other_gain=other_gain)
    assert rows.loc["ET", "gain"] == pytest.approx((1 + 3 * other_gain) / 4)
    assert rows.loc["ET", ["present", "absent"]].tolist() == [3, 1]
    assert rows.loc["ET", ["gain_present", "gain_absent"]].tolist() == pytest.approx([other_gain, 1])
    assert rows["only_absent"].to_dict() == {
        **dict.fromkeys(["WT", "TC", "label_1", "label_2"], "false"),
        **dict.fromkeys(["mean", "ET", "label_4"], "true"),
    }


def test_a_gain_that_other_cases_have_too_is_not_marked():
    rows = case_without_enhancing_tumour(other_gain=0.01)
    assert set(rows["only_absent"]) == {"false"}


def test_the_mean_counts_pairs_of_a_case_and_a_structure():
    rows = case_without_enhancing_tumour(other_gain=0)
    assert rows.loc["mean", ["cases", "present", "absent"]].tolist() == [4, 19, 1]
    assert rows.loc["mean", "gain"] == pytest.approx(1 / 20)


def test_the_gain_of_no_cases_is_unknown():
    ones = np.ones((3, len(STRUCTURES)))
    rows = gains_of(ones, ones, ones.astype(bool))
    assert rows["gain_absent"].isna().all()
    rows = gains_of(0 * ones, ones, ~ones.astype(bool))
    assert rows["gain_present"].isna().all()
    assert set(rows["only_absent"]) == {"true"}
