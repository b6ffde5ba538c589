import numpy as np
import pytest
import yaml

from tests.support.builders import TASK
from tumorseg.configuration.postprocessing_candidates import candidates, no_postprocessing
from tumorseg.evaluation.postprocessing_choice import Choices, gain_table
from tumorseg.evaluation.postprocessing_report import candidate_table, choice_yaml, describe, gain_lines
from tumorseg.metrics.bootstrap import Bootstrap

TRIED = candidates({"remove_components_mm3": [50], "min_enhancing_mm3": [], "fill_holes": True}, TASK)
CHOICES = Choices({0: 2, 1: 0, 2: 2}, 2)
STRUCTURES = list(TASK.structures)


def gains(gain: float, *, absent: bool = False):
    """Return the table of gains if all scores of four cases change by `gain`. absent: structures that no case has."""
    before = np.full((4, len(STRUCTURES), 2), 0.5)
    present = np.full((4, len(STRUCTURES)), not absent)
    bootstrap = Bootstrap(list("abcd"), confidence=0.9, samples=100, seed=1)
    return gain_table(np.stack([before, before + gain], axis=1), present, bootstrap, TASK)


def test_the_choice_is_a_configuration_file_with_all_keys():
    content = yaml.safe_load(choice_yaml(TRIED, CHOICES, gains(0.1), TASK))
    assert content == {
        "prediction": {"remove_components": {"WT": 0, "TC": 0, "ET": 50}, "min_enhancing_mm3": 0, "fill_holes": False}
    }


def test_the_choice_says_what_it_is_worth():
    text = choice_yaml(TRIED, CHOICES, gains(0.1), TASK).replace("\n# ", " ")
    assert "# The best of 16 candidates by mean Dice on the 4 held-out cases of 3 folds." in text
    assert "Its own score on these cases is not a fair estimate" in text
    assert "the gain in mean Dice is +0.1000, interval +0.1000 to +0.1000" in text
    assert "no evidence" not in text


def test_the_choice_warns_without_evidence_of_a_gain():
    text = choice_yaml(TRIED, CHOICES, gains(0), TASK).replace("\n# ", " ")
    assert "there is no evidence of a gain." in text
    assert "lowered" not in text


def test_the_choice_warns_of_a_loss():
    text = choice_yaml(TRIED, CHOICES, gains(-0.1), TASK).replace("\n# ", " ")
    assert "this post-processing lowered the mean Dice. Do not use it." in text
    assert "no evidence" not in text


def test_the_choice_and_the_terminal_mark_a_gain_of_cases_without_the_structure():
    table = gains(0.5, absent=True)
    assert "only from cases without the structure" in choice_yaml(TRIED, CHOICES, table, TASK).replace("\n# ", " ")
    lines = gain_lines(table, 0.9)
    assert lines[1].split()[:2] == ["mean", "Dice"]
    assert all(line.split()[-5:] == ["–", "(0)", "+0.5000", "(4)", "*"] for line in lines[2:8])
    assert lines[-1].startswith("*: The gain comes only from cases without the structure")


def test_the_terminal_has_no_mark_without_such_a_gain():
    lines = gain_lines(gains(0.1), 0.9)
    assert "90% interval" in lines[0]
    assert len(lines) == 1 + 2 * (1 + len(STRUCTURES)) + 1
    assert not [line for line in lines if "*" in line]


def test_the_table_of_candidates_has_their_settings_dice_and_folds():
    dice = np.tile(np.linspace(0, 1, len(TRIED))[:, None], (4, 1, len(STRUCTURES)))
    table = candidate_table(dice, TRIED, CHOICES, TASK)
    assert table["chosen_for"].tolist()[:4] == ["1", "", "0, 2, all", ""]
    assert table["remove_ET"].tolist()[:3] == [0, 0, 50]
    assert table["fill_holes"].tolist()[:2] == ["false", "true"]
    for column in ("dice", *(f"dice_{name}" for name in STRUCTURES)):
        assert table[column].tolist() == pytest.approx(np.linspace(0, 1, len(TRIED)))


def test_settings_are_described_on_one_line():
    assert describe(no_postprocessing(TASK)) == "no post-processing"
    assert describe(TRIED[2]) == "remove_components: {ET: 50}"
    assert describe(TRIED[-1]) == "remove_components: {WT: 50, TC: 50, ET: 50}, fill_holes: true"
