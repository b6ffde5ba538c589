from itertools import product

import numpy as np
import pytest
from hypothesis import given

from tests.support.builders import hypothesis_settings
from tests.support.random_masks import seeds
from tumorseg.metrics import lesion_matching
from tumorseg.metrics.lesion_matching import match_lesions


def line(text: str) -> np.ndarray:
    """Return a mask of one row: `#` is inside."""
    return np.array([character == "#" for character in text]).reshape(-1, 1, 1)


def pairs(reference: str, prediction: str, min_dice: float = 1e-6) -> list[list[int]]:
    return match_lesions(line(reference), line(prediction), min_dice=min_dice).pairs.tolist()


def matched(reference: str, prediction: str) -> tuple[int, int, int]:
    found = match_lesions(line(reference), line(prediction), min_dice=1e-6)
    return len(found.pairs), found.missed, found.false


def test_masks_without_a_shared_voxel_need_no_table_of_all_lesions_and_components(monkeypatch):
    monkeypatch.setattr(lesion_matching, "linear_sum_assignment", None)
    assert matched("#.#..", "....#") == (0, 2, 1)


@pytest.mark.parametrize(
    ("reference", "prediction", "expected"),
    [
        ("", "", (0, 0, 0)),
        ("...", "...", (0, 0, 0)),
        ("#.#", "...", (0, 2, 0)),
        ("...", "#.#", (0, 0, 2)),
        ("#..", "..#", (0, 1, 1)),
        ("#.#", "#..", (1, 1, 0)),
        ("###", "#.#", (1, 0, 1)),
        ("#.#", "###", (1, 1, 0)),
    ],
)
def test_each_lesion_has_at_most_one_component(reference, prediction, expected):
    assert matched(reference, prediction) == expected


def test_a_lesion_has_the_component_with_the_larger_dice():
    assert pairs("#####", "#.###") == [[1, 2]]


def test_the_sum_of_dice_decides_not_the_largest_dice():
    # The middle component fits the second lesion best (0.8), but both lesions have a pair only if it goes to the first.
    reference, prediction = "####.####", ".##.####."
    found = match_lesions(line(reference), line(prediction), min_dice=1e-6)
    assert found.pairs.tolist() == [[1, 1], [2, 2]]
    assert found.dice.tolist() == pytest.approx([4 / 6, 6 / 8])
    assert pairs("##.####", ".#####.") == [[2, 1]]
    assert pairs("####.##", "#.#####") == [[1, 1], [2, 2]]


def test_the_first_of_equal_components_is_chosen():
    assert pairs("###", "#.#") == [[1, 1]]
    assert pairs("#.#", "###") == [[1, 1]]


def test_a_pair_needs_the_smallest_dice():
    assert pairs("####.", "...##", min_dice=2 / 6) == [[1, 1]]
    assert pairs("####.", "...##", min_dice=0.34) == []


def test_voxels_that_share_a_corner_are_one_lesion():
    mask = np.zeros((2, 2, 2), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = True
    assert match_lesions(mask, mask, min_dice=0.1).lesion_voxels.tolist() == [2]


def test_lesions_are_numbered_in_the_order_of_their_first_voxels():
    assert match_lesions(line("#.##.###"), line("........"), min_dice=0.1).lesion_voxels.tolist() == [1, 2, 3]


def random_candidates(seed: int) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    rng = np.random.default_rng(seed)
    shape = tuple(int(side) for side in rng.integers(1, 7, 2))
    cells = rng.random(shape) < 0.3
    return np.argwhere(cells), rng.choice([0.2, 0.25, 0.5, 0.75, 0.9], cells.sum()), shape


def largest_sum(candidates, dice, shape) -> float:
    """Return the largest sum of Dice and 1e-6 of a matching: all choices of a component, or none, for each lesion."""
    value = {(int(i), int(j)): float(one) for (i, j), one in zip(candidates, dice, strict=True)}
    choices = [[None, *(j for j in range(shape[1]) if (i, j) in value)] for i in range(shape[0])]
    sums = []
    for choice in product(*choices):
        used = [j for j in choice if j is not None]
        if len(used) == len(set(used)):
            sums.append(sum(value[i, j] + 1e-6 for i, j in enumerate(choice) if j is not None))
    return max(sums)


@pytest.mark.parametrize("max_cells", [10**6, 0])
@hypothesis_settings(100)
@given(seed=seeds)
def test_no_matching_is_better(max_cells, seed):
    candidates, dice, shape = random_candidates(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lesion_matching, "_MAX_CELLS", max_cells)  # 0: each group of lesions and components by itself
        chosen = lesion_matching._best_pairs(candidates, dice, shape)
    lesions, components = candidates[chosen].T
    assert len(set(lesions.tolist())) == len(set(components.tolist())) == len(chosen)
    assert (dice[chosen] + 1e-6).sum() == pytest.approx(largest_sum(candidates, dice, shape), abs=1e-9)
