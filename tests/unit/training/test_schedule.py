import itertools

import pytest

from tumorseg.training.schedule import checkpoint_epochs, learning_rate, previous_checkpoint_epoch


@pytest.mark.parametrize(
    ("epochs", "interval", "saved"), [(3, 1, [1, 2, 3]), (4, 2, [2, 4]), (5, 2, [2, 4, 5]), (1, 10, [1])]
)
def test_checkpoints_are_saved_at_the_interval_and_at_the_end(epochs, interval, saved):
    assert checkpoint_epochs(epochs, interval) == saved


@pytest.mark.parametrize("interval", [1, 2, 3, 7])
@pytest.mark.parametrize("epochs", range(1, 15))
def test_the_previous_checkpoint_is_one_that_is_saved(epochs, interval):
    for epoch in checkpoint_epochs(epochs, interval):
        previous = previous_checkpoint_epoch(epoch, interval)
        assert previous == 0 or (previous < epoch and previous in checkpoint_epochs(epochs, interval))


def test_a_constant_learning_rate_never_changes():
    assert {learning_rate("constant", 0.1, 10, done) for done in (0, 5, 100)} == {0.1}


@pytest.mark.parametrize("schedule", ["polynomial", "cosine"])
def test_a_schedule_falls_to_a_hundredth_and_stays_there(schedule):
    rates = [learning_rate(schedule, 1.0, 10, done / 2) for done in range(40)]
    assert rates[0] == 1
    assert all(before >= after for before, after in itertools.pairwise(rates))
    assert rates[20:] == [0.01] * 20


def test_schedules_half_way():
    assert learning_rate("cosine", 1.0, 10, 5) == pytest.approx(0.5)
    assert learning_rate("polynomial", 1.0, 10, 5) == pytest.approx(0.5**0.9)


@pytest.mark.parametrize("schedule", ["constant", "polynomial", "cosine"])
def test_a_warm_up_rises_in_a_line_to_the_highest_rate(schedule):
    rates = [learning_rate(schedule, 1.0, 10, done, warmup_epochs=4) for done in range(5)]
    assert rates == pytest.approx([0.04, 0.28, 0.52, 0.76, 1])


def test_the_schedule_falls_between_the_warm_up_and_its_end():
    assert learning_rate("cosine", 1.0, 10, 7, warmup_epochs=4) == pytest.approx(0.5)
    assert learning_rate("polynomial", 1.0, 10, 10, warmup_epochs=4) == 0.01
