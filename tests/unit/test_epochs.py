import pytest

from tumorseg.training.epochs import checkpoint_epochs, previous_epoch


@pytest.mark.parametrize(
    ("epochs", "interval", "saved"), [(3, 1, [1, 2, 3]), (4, 2, [2, 4]), (5, 2, [2, 4, 5]), (1, 10, [1])]
)
def test_checkpoints_are_saved_at_the_interval_and_at_the_end(epochs, interval, saved):
    assert checkpoint_epochs(epochs, interval) == saved


@pytest.mark.parametrize("interval", [1, 2, 3, 7])
@pytest.mark.parametrize("epochs", range(1, 15))
def test_a_training_goes_on_from_a_checkpoint_that_is_saved(epochs, interval):
    for epoch in checkpoint_epochs(epochs, interval):
        previous = previous_epoch(epoch, interval)
        assert previous == 0 or (previous < epoch and previous in checkpoint_epochs(epochs, interval))
