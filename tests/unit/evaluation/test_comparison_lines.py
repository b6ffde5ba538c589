import pytest

from tests.support.score_sets import TASK, score_set, scores_of
from tumorseg.evaluation.comparison_lines import difference_lines, ranked_folders, ranking_lines, signed_text
from tumorseg.metrics.registry import metric

CASES = [f"case-{number}" for number in range(12)]
SCORED = score_set({name: scores_of(dice, CASES) for name, dice in (("low", 0.5), ("high", 0.9), ("middle", 0.7))})


def test_the_terminal_shows_a_line_for_each_other_folder_and_region():
    head, *lines = difference_lines(SCORED.comparison, metric("dice"), TASK)
    assert head.split()[:3] == ["folder", "region", "Dice"]
    assert [line.split()[:2] for line in lines] == [
        [folder, region] for region in ("WT", "TC", "ET") for folder in ("high", "middle")
    ]
    # All 12 differences are positive: p is 2 / 2^12 = 0.00049, and 24 times as much after the correction.
    assert lines[0].split()[2:] == ["+0.400", "+0.400", "to", "+0.400", "12", "0", "0", "<0.001", "0.012"]
    assert len({len(line) for line in (head, *lines)}) == 1


def test_the_terminal_shows_the_ranking_from_the_best():
    _, *lines = ranking_lines(SCORED.comparison["ranking"], 0.95)
    assert [line.split() for line in lines] == [
        ["high", "1", "1", "to", "1", "1.00"],
        ["middle", "2", "2", "to", "2", "2.00"],
        ["low", "3", "3", "to", "3", "3.00"],
    ]


def test_folders_that_share_a_rank_stay_in_their_order():
    same = score_set({name: scores_of(0.5, CASES) for name in ("b", "a")})
    assert [name for name, _ in ranked_folders(same.comparison["ranking"])] == ["b", "a"]


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        (0.0123, "dice", "+0.012"),
        (-0.5, "dice", "−0.500"),
        (-0.0001, "dice", "0.000"),
        (1500, "volume_error_mm3", "+1.50"),
    ],
)
def test_a_difference_has_a_sign_unless_it_rounds_to_0(value, name, text):
    assert signed_text(value, metric(name)) == text
