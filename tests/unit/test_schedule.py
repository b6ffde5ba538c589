import itertools

import pytest

from tumorseg.training.schedule import learning_rate


def test_constant_stays():
    assert {learning_rate("constant", 0.1, 10, done) for done in (0, 5, 100)} == {0.1}


@pytest.mark.parametrize("schedule", ["polynomial", "cosine"])
def test_a_schedule_falls_to_a_hundredth_and_stays_there(schedule):
    rates = [learning_rate(schedule, 1.0, 10, done / 2) for done in range(40)]
    assert rates[0] == 1
    assert all(before >= after for before, after in itertools.pairwise(rates))
    assert rates[20:] == [0.01] * 20


def test_half_way():
    assert learning_rate("cosine", 1.0, 10, 5) == pytest.approx(0.5)
    assert learning_rate("polynomial", 1.0, 10, 5) == pytest.approx(0.5**0.9)
